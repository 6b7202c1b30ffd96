import type { ChatId, MediaId, ServerMsgId, UserId } from '../../core/contract/ids.ts';
import type {
  AppendRequest,
  AppendResult,
  ChangeMemberRequest,
  ChangeMemberResult,
  CountReceiptsRequest,
  CountReceiptsResult,
  CreateChatRequest,
  CreateChatResult,
  DeleteOutboxResult,
  FetchRequest,
  FetchResult,
  ListChatsRequest,
  ListChatsResult,
  LoadRequest,
  LoadResult,
  OpenDeviceRequest,
  OpenDeviceResult,
  ReadHeadsRequest,
  ReadHeadsResult,
  ReadMembersRequest,
  ReadMembersResult,
  ReadOutboxRequest,
  ReadOutboxResult,
  ReceiptWrite,
  SaveReceiptsResult,
} from '../../core/contract/store.ts';
import type { Micros } from '../../core/contract/time.ts';

/** `done` is called exactly once, never before the call returned, and never throws back into the store. */
export type Done<Result> = (result: Result) => void;

/** When one member had a message, for `GET /v1/chats/{chatId}/receipts`. */
export interface MessageReceipts {
  readonly userId: UserId;
  readonly deliveredAt: Micros | undefined;
  readonly readAt: Micros | undefined;
}

/** An object that was or will be uploaded. Its row is written before the upload, and says what the upload must be. */
export interface MediaRecord {
  readonly mediaId: MediaId;
  readonly owner: UserId;
  /** Bytes. */
  readonly size: number;
  readonly contentType: string;
  /** Of the content: 64 hexadecimal digits in lower case. */
  readonly sha256: string;
  readonly createdAt: Micros;
}

/** Whether `userId` may see a message of `chatId` that names `mediaId`. */
export interface MediaSight {
  readonly mediaId: MediaId;
  readonly chatId: ChatId;
  readonly userId: UserId;
}

/**
 * The message store as the runtime calls it: the calls of core/contract/store.ts, with callbacks instead of promises so
 * that a message costs no await. An adapter gathers calls that arrive while a transaction is under way and carries
 * them out together (group commit). Chats and users of all shards; the outbox belongs to one shard: see `MessageStore`.
 */
export interface ChatStore {
  append(request: AppendRequest, done: Done<AppendResult>): void;
  loadChat(request: LoadRequest, done: Done<LoadResult>): void;
  createChat(request: CreateChatRequest, done: Done<CreateChatResult>): void;
  changeMember(request: ChangeMemberRequest, done: Done<ChangeMemberResult>): void;
  openDevice(request: OpenDeviceRequest, done: Done<OpenDeviceResult>): void;
  /** Remembers that some session has seen the list of every shard. Best effort: a later session says it again. */
  confirmDevice(request: OpenDeviceRequest): void;
  listChats(request: ListChatsRequest, done: Done<ListChatsResult>): void;
  fetch(request: FetchRequest, done: Done<FetchResult>): void;
  /**
   * As `fetch`, from a replica when there is one that has the whole page. What it says of messages is true now; `head` and
   * `spans` may be those of a moment ago. For reading history, never for a session that must not miss anything.
   */
  fetchHistory(request: FetchRequest, done: Done<FetchResult>): void;
  saveReceipts(writes: readonly ReceiptWrite[], done: Done<SaveReceiptsResult>): void;
  readMembers(request: ReadMembersRequest, done: Done<ReadMembersResult>): void;
  /** Heads of chats of any shard; those of a shard that does not answer are left out. */
  readHeads(request: ReadHeadsRequest, done: Done<ReadHeadsResult>): void;
  countReceipts(request: CountReceiptsRequest, done: Done<CountReceiptsResult>): void;

  /**
   * A number from 1 to 2^21 - 1, never handed out before by any shard of any region: makes the ids of one run of a message
   * service unique. A deployment has some 250,000 of them a region, so nobody takes one that does not need it.
   */
  claimInstance(): Promise<number>;
  /** First DELIVERED and READ time of each member (but the sender) for one message; undefined when there is no such message. */
  receiptsOf(
    chatId: ChatId,
    serverMsgId: ServerMsgId,
  ): Promise<{ readonly seq: number; readonly receipts: readonly MessageReceipts[] } | undefined>;
  /** Durable before it resolves. False: the id is taken, draw another. It lies on the shard of the media id's slot. */
  saveMedia(record: MediaRecord): Promise<boolean>;
  findMedia(mediaId: MediaId): Promise<MediaRecord | undefined>;
  maySeeMedia(sight: MediaSight): Promise<boolean>;
  /** Rejects when the store cannot serve reads and writes. */
  ping(): Promise<void>;
  /** Finishes what is under way, then lets go of every connection. */
  close(): Promise<void>;
}

/** One shard, with its outbox. */
export interface MessageStore extends ChatStore {
  readOutbox(request: ReadOutboxRequest, done: Done<ReadOutboxResult>): void;
  deleteOutbox(ids: readonly number[], done: Done<DeleteOutboxResult>): void;
}
