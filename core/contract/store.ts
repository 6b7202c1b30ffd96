import type { ChatId, DeviceId, ServerMsgId, UserId } from './ids.ts';
import type {
  ChatKind,
  ChatRecord,
  ChatSummary,
  Member,
  OutboxRow,
  ReceiptCount,
  ReceiptType,
  Span,
  StoredMessage,
} from './records.ts';
import type { Micros } from './time.ts';

/**
 * What machines ask of the message store, as data. PostgreSQL carries it out in production, a model in the simulator.
 *
 * Every call ends `ok`, with a refusal of its own, `failed` (certainly without effect) or `unknown` (perhaps with effect:
 * the connection was lost during COMMIT, or a timeout came after it). A machine must treat `unknown` as either.
 * Every write below is one transaction and durable before `ok` is reported.
 */
export type StoreFailure = { readonly outcome: 'failed' } | { readonly outcome: 'unknown' };

/**
 * Appends messages to one chat: message rows, one outbox row each, and the chat's head, in one transaction.
 * Written only if the chat still has head `expectHead` and membership version `expectVersion` (else `stale`), and only if
 * no message of the store has the (from, clientMsgId) of any of them (else `duplicate`, with the earlier messages).
 * That compare-and-set is the fence: two services that both believe they own a chat cannot give one seq twice.
 */
export interface AppendRequest {
  readonly chatId: ChatId;
  readonly expectHead: number;
  readonly expectVersion: number;
  /** seqs `expectHead + 1`, `+ 2`, … */
  readonly messages: readonly StoredMessage[];
  /** Who gets them, as of these seqs; undefined for a chat too large to list. */
  readonly recipients: readonly UserId[] | undefined;
}
export type AppendResult =
  | { readonly outcome: 'ok' }
  | { readonly outcome: 'stale' }
  | { readonly outcome: 'duplicate'; readonly found: readonly FoundSend[] }
  | StoreFailure;

/** A send of which somebody asks whether it is a message already. */
export type AskedSend = Pick<StoredMessage, 'from' | 'clientMsgId' | 'ciphertext'>;

/**
 * The message that an earlier send with the same key became, compared with the send that was asked about. The comparison is
 * the store's, and not of what it can still read: retention drops ciphertexts, while a send is the same send for ever. So
 * a store keeps a digest of each (docs/adr/0002), which the machines, being pure, would have to compute themselves.
 */
export interface FoundSend extends Omit<StoredMessage, 'ciphertext'> {
  readonly sameCiphertext: boolean;
}

/** Reads a chat with all its members, and the messages that earlier sends with these keys became, in one snapshot. */
export interface LoadRequest {
  readonly chatId: ChatId;
  readonly sends: readonly AskedSend[];
}
export type LoadResult =
  | { readonly outcome: 'ok'; readonly chat: ChatRecord; readonly found: readonly FoundSend[] }
  | { readonly outcome: 'no-chat' }
  | { readonly outcome: 'failed' };

/**
 * Creates a chat with head 0 and version 0. A direct chat of the same two users exists once: the existing one is
 * returned with `created: false`.
 */
export interface CreateChatRequest {
  readonly chatId: ChatId;
  readonly kind: ChatKind;
  readonly members: readonly Member[];
}
export type CreateChatResult =
  | { readonly outcome: 'ok'; readonly chatId: ChatId; readonly created: boolean }
  | StoreFailure;

/** Replaces one member's role and spans and increments the version, under the same compare-and-set as an append. */
export interface ChangeMemberRequest {
  readonly chatId: ChatId;
  readonly expectHead: number;
  readonly expectVersion: number;
  readonly member: Member;
  /** When the change makes the chat larger than this, its head at that time is kept for `positions` of `read-members`. */
  readonly markAbove: number;
}
export type ChangeMemberResult = { readonly outcome: 'ok' } | { readonly outcome: 'stale' } | StoreFailure;

/**
 * Increments and returns the device's epoch, which the shard of its user keeps. Each shard that sees a device for the first
 * time, here or when its chats are listed, gives it in the same transaction a cursor at the last seq its user may see in
 * each of the user's chats there; later chats start from 0. `confirmed`: some session has seen every shard's chats, and
 * said so by `confirm-device`. Until then a shard may still be about to give cursors, at a head of its own choosing.
 */
export interface OpenDeviceRequest {
  readonly userId: UserId;
  readonly deviceId: DeviceId;
}
export type OpenDeviceResult =
  | { readonly outcome: 'ok'; readonly epoch: number; readonly confirmed: boolean }
  | StoreFailure;

/**
 * Lists every chat that the user is or was a member of, with this device's cursors. Read from the primary. Chats lie on
 * several shards: `complete` is false when some of them did not answer, and their chats are missing.
 */
export interface ListChatsRequest {
  readonly userId: UserId;
  readonly deviceId: DeviceId;
}
export type ListChatsResult =
  | { readonly outcome: 'ok'; readonly chats: readonly ChatSummary[]; readonly complete: boolean }
  | { readonly outcome: 'failed' };

/**
 * Reads messages with `afterSeq < seq`, ascending, at most `limit` and at most `bytes` of ciphertext (base64 characters), but
 * one message whatever its size; and in the same snapshot the chat's head and the user's spans. It may leave out rows outside the spans, no others. A stranger, and a chat that does not exist, get
 * head 0, no spans and no messages: the two cannot be told apart.
 */
export interface FetchRequest {
  readonly userId: UserId;
  readonly chatId: ChatId;
  readonly afterSeq: number;
  readonly limit: number;
  readonly bytes: number;
}
export type FetchResult =
  | {
      readonly outcome: 'ok';
      readonly messages: readonly StoredMessage[];
      /** The page ended at `limit` or `bytes`: what follows its last message is not known. Else it reaches to `head`. */
      readonly more: boolean;
      readonly head: number;
      readonly spans: readonly Span[];
      /** Current members; 0 for a stranger. */
      readonly size: number;
    }
  | { readonly outcome: 'failed' };

/**
 * One receipt to save. DELIVERED moves the device's cursor and the user's DELIVERED watermark, READ the user's READ and
 * DELIVERED watermarks; all of them only forward. `seq` undefined: found by (chatId, serverMsgId), and ignored when that
 * is not a message at or below the device's cursor that the user may see. `serverMsgId` undefined: found by (chatId, seq); with no such message
 * only the cursor moves. Within one call, writes apply in order. For each watermark that moved, one outbox row to `recipients` is
 * written in the same transaction.
 */
export interface ReceiptWrite {
  readonly chatId: ChatId;
  readonly userId: UserId;
  readonly deviceId: DeviceId;
  readonly type: ReceiptType;
  readonly serverMsgId: ServerMsgId | undefined;
  readonly seq: number | undefined;
  readonly at: Micros;
  readonly recipients: readonly UserId[];
  /**
   * The chat is too large to tell of each receipt: instead of rows to `recipients`, which is empty, one row of kind `counts`
   * for the chat, when any counted write of the call moved a watermark in it.
   */
  readonly counted: boolean;
}
export type SaveReceiptsResult = { readonly outcome: 'ok' } | StoreFailure;

/**
 * Reads outbox rows that are not deleted, oldest first, at most `limit`, without those in `except`. Rows become visible
 * in commit order, which is not id order: the outbox is a set to empty, not a log to follow with a cursor.
 */
export interface ReadOutboxRequest {
  readonly limit: number;
  /** Longer ciphertexts (base64 characters) are left out of the rows: they travel no further than this. */
  readonly inlineCiphertext: number;
  readonly except: readonly number[];
}
export type ReadOutboxResult =
  | { readonly outcome: 'ok'; readonly rows: readonly OutboxRow[] }
  | { readonly outcome: 'failed' };
export type DeleteOutboxResult = { readonly outcome: 'ok' } | StoreFailure;

/**
 * Counts who has, and has read, the newest `limit` messages of a chat (those of them that `from` wrote, when given), by the
 * rule of core/receipts/count-receipts.ts, ascending by seq. Read from the primary.
 */
export interface CountReceiptsRequest {
  readonly chatId: ChatId;
  readonly from: UserId | undefined;
  readonly limit: number;
}
export type CountReceiptsResult =
  | { readonly outcome: 'ok'; readonly counts: readonly ReceiptCount[] }
  | { readonly outcome: 'failed' };

/** Reads the heads of chats, from the primary. Those that do not exist, or whose shard does not answer, are left out. */
export interface ReadHeadsRequest {
  readonly chatIds: readonly ChatId[];
}
export type ReadHeadsResult =
  | { readonly outcome: 'ok'; readonly heads: readonly (readonly [ChatId, number])[] }
  | { readonly outcome: 'failed' };

/** Pages through the users who may see `seq` of a chat, ascending by id (text order), after `afterUser`. */
export interface ReadMembersRequest {
  readonly chatId: ChatId;
  readonly seq: number;
  readonly afterUser: UserId | undefined;
  readonly limit: number;
  /** Positions are wanted when the chat has more current members than this; otherwise they may be left empty. */
  readonly positionsAbove: number;
  /** Who wrote one of so many messages before `seq` is known to have come as far as that message. */
  readonly authorsWithin: number;
}
export type ReadMembersResult =
  | {
      readonly outcome: 'ok';
      readonly users: readonly UserId[];
      /**
       * For each of `users`, how far it is taken to have come: the largest of its DELIVERED watermark (0: none), the `after`
       * of the span that contains `seq`, its newest message among the `authorsWithin` before `seq`, and the head at which the
       * chat last grew beyond `markAbove`.
       */
      readonly positions: readonly number[];
      /** Current members of the chat. */
      readonly size: number;
    }
  | { readonly outcome: 'failed' };
