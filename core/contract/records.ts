import type { ChatId, ClientMsgId, DeviceId, MediaId, NodeId, ServerMsgId, UserId } from './ids.ts';
import type { Micros } from './time.ts';

/** The records that machines exchange with the store, the queue and the registry. Plain data, JSON-safe, never mutated. */

export type ChatKind = 'direct' | 'group';
export type Role = 'owner' | 'admin' | 'member';
export type ReceiptType = 'DELIVERED' | 'READ';

/** `upTo` of a membership that has not ended. A number, so that spans stay JSON-safe and comparable. */
export const OPEN_END: number = Number.MAX_SAFE_INTEGER;

/**
 * A stretch of membership: its user sees every seq with `after < seq <= upTo`.
 * *Invariant:* the spans of one member are disjoint, ascending and not empty of meaning: after <= upTo.
 */
export interface Span {
  readonly after: number;
  readonly upTo: number;
}

/** Everybody who ever was a member is kept, so that who left keeps what came before. */
export interface Member {
  readonly userId: UserId;
  readonly role: Role;
  readonly spans: readonly Span[];
}

export interface ChatRecord {
  readonly chatId: ChatId;
  readonly kind: ChatKind;
  /** Highest seq in use; 0 in a chat without messages. */
  readonly head: number;
  /** Counts membership changes; an append names the version it was decided on. */
  readonly version: number;
  readonly members: readonly Member[];
}

export interface StoredMessage {
  readonly chatId: ChatId;
  /** Dense from 1 within the chat. */
  readonly seq: number;
  readonly serverMsgId: ServerMsgId;
  readonly clientMsgId: ClientMsgId;
  readonly from: UserId;
  readonly fromDevice: DeviceId;
  /**
   * base64 of opaque bytes. Empty as well when retention has dropped it: such a message keeps its seq and all else, and goes
   * the way of every other, since devices show what is dense.
   */
  readonly ciphertext: string;
  readonly mediaIds: readonly MediaId[];
  readonly sentAt: Micros;
}

/** A receipt that moved a user's watermark: it stands for every seq up to and including its own. */
export interface ReceiptRecord {
  readonly chatId: ChatId;
  readonly userId: UserId;
  readonly type: ReceiptType;
  readonly seq: number;
  readonly serverMsgId: ServerMsgId;
  readonly at: Micros;
}

/** How far one message of a large chat has come. Its sender, and who may not see it, do not count. */
export interface ReceiptCount {
  readonly chatId: ChatId;
  readonly seq: number;
  readonly serverMsgId: ServerMsgId;
  readonly from: UserId;
  readonly deliveredCount: number;
  /** *Invariant:* at most `deliveredCount`. Neither ever falls. */
  readonly readCount: number;
  /** When the newest of the receipts that are counted was given; 0 without any. */
  readonly at: Micros;
}

/** A chat as one device sees it when its session opens. */
export interface ChatSummary {
  readonly chatId: ChatId;
  readonly head: number;
  /** The device's stored cursor: it has everything it may see up to here. */
  readonly cursor: number;
  readonly spans: readonly Span[];
  /** Current members. */
  readonly size: number;
  /** Watermarks of the other members of a small chat, so that ticks missed while offline appear. */
  readonly receipts: readonly ReceiptRecord[];
}

/** What one recipient must get. `ciphertext` is undefined when it is too long to travel: the session fetches the row. */
export type DeliveryItem =
  | {
      readonly kind: 'message';
      readonly message: DeliveryMessage;
      /** The group has more than `hugeGroup` members: not everybody is told, so sessions look for themselves. */
      readonly huge?: true | undefined;
    }
  | { readonly kind: 'receipt'; readonly receipt: ReceiptRecord }
  /** To the sender of the message: newer than what it was told before, or the same again. */
  | { readonly kind: 'counts'; readonly count: ReceiptCount }
  | { readonly kind: 'typing'; readonly chatId: ChatId; readonly from: UserId };

export interface DeliveryMessage extends Omit<StoredMessage, 'ciphertext'> {
  readonly ciphertext: string | undefined;
}

/** One event of the delivery queue, keyed by recipient. */
export interface DeliveryEvent {
  readonly recipient: UserId;
  readonly item: DeliveryItem;
}

/**
 * A row of the outbox, written in the transaction of what it announces.
 * `recipients` undefined: the chat is too large to list, the fan-out pages through the members as of the seq.
 */
export type OutboxRow =
  | {
      readonly id: number;
      readonly kind: 'message';
      /** Without a long ciphertext, as in the events that are made of it. */
      readonly message: DeliveryMessage;
      readonly recipients: readonly UserId[] | undefined;
    }
  | {
      readonly id: number;
      readonly kind: 'receipt';
      readonly receipt: ReceiptRecord;
      readonly recipients: readonly UserId[];
    }
  /** Receipts of a large chat were saved: its newest messages are to be counted again. */
  | { readonly id: number; readonly kind: 'counts'; readonly chatId: ChatId };

/** Where one device is connected, as the session registry knows it. */
export interface SessionEntry {
  readonly userId: UserId;
  readonly deviceId: DeviceId;
  readonly gatewayId: NodeId;
  /** Fencing token of the device's connection; the store hands it out and it never goes back. */
  readonly epoch: number;
}
