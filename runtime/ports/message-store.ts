import type { ChatId, ServerMsgId, UserId } from '../../core/contract/ids.ts';
import type {
  AppendRequest,
  AppendResult,
  ChangeMemberRequest,
  ChangeMemberResult,
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

/**
 * The message store as the runtime calls it: the calls of core/contract/store.ts, with callbacks instead of promises so
 * that a message costs no await. An adapter gathers calls that arrive while a transaction is under way and carries
 * them out together (group commit).
 */
export interface MessageStore {
  append(request: AppendRequest, done: Done<AppendResult>): void;
  loadChat(request: LoadRequest, done: Done<LoadResult>): void;
  createChat(request: CreateChatRequest, done: Done<CreateChatResult>): void;
  changeMember(request: ChangeMemberRequest, done: Done<ChangeMemberResult>): void;
  openDevice(request: OpenDeviceRequest, done: Done<OpenDeviceResult>): void;
  /** Every shard knows the device; best effort. */
  confirmDevice(request: OpenDeviceRequest): void;
  listChats(request: ListChatsRequest, done: Done<ListChatsResult>): void;
  fetch(request: FetchRequest, done: Done<FetchResult>): void;
  saveReceipts(writes: readonly ReceiptWrite[], done: Done<SaveReceiptsResult>): void;
  readOutbox(request: ReadOutboxRequest, done: Done<ReadOutboxResult>): void;
  deleteOutbox(ids: readonly number[], done: Done<DeleteOutboxResult>): void;
  readMembers(request: ReadMembersRequest, done: Done<ReadMembersResult>): void;

  /** A number from 1, never handed out before: makes the ids of one process run unique. */
  claimInstance(): Promise<number>;
  /** First DELIVERED and READ time of each member (but the sender) for one message; undefined when there is no such message. */
  receiptsOf(
    chatId: ChatId,
    serverMsgId: ServerMsgId,
  ): Promise<{ readonly seq: number; readonly receipts: readonly MessageReceipts[] } | undefined>;
  /** Rejects when the store cannot serve reads and writes. */
  ping(): Promise<void>;
  /** Finishes what is under way, then lets go of every connection. */
  close(): Promise<void>;
}
