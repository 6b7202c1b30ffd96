import { assert } from '../../core/contract/assert.ts';
import type { ChatId, ClientMsgId, DeviceId, UserId } from '../../core/contract/ids.ts';
import type {
  ChatSummary,
  Member,
  OutboxRow,
  ReceiptRecord,
  Span,
  StoredMessage,
} from '../../core/contract/records.ts';
import type {
  AppendRequest,
  AppendResult,
  AskedSend,
  ChangeMemberRequest,
  ChangeMemberResult,
  CountReceiptsRequest,
  CountReceiptsResult,
  CreateChatRequest,
  CreateChatResult,
  DeleteOutboxResult,
  FetchRequest,
  FetchResult,
  FoundSend,
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
import { countReceipts } from '../../core/receipts/count-receipts.ts';
import { canSee, visibleHead } from '../../core/sequencing/membership.ts';
import { StoredChat } from './stored-chat.ts';

/** Hears of every change at the moment it is committed. */
export interface StoreObserver {
  committed(message: StoredMessage): void;
  /** @param by who asked for the change; undefined of those with whom the chat began. */
  member(chat: StoredChat, member: Member, by: UserId | undefined): void;
  cursorSaved(deviceId: DeviceId, chatId: ChatId, seq: number): void;
  watermarkSaved(receipt: ReceiptRecord): void;
  /** Retention took what a message says. */
  contentDropped(chatId: ChatId, seq: number): void;
  /** A connection of the device got its epoch. */
  deviceOpened(deviceId: DeviceId, epoch: number): void;
}

const OK = { outcome: 'ok' } as const;
const STALE = { outcome: 'stale' } as const;
const NO_CHAT = { outcome: 'no-chat' } as const;
const NO_SPANS: readonly Span[] = [];
/** So many are looked through faster than put into a set. */
const FEW = 16;
const STRANGER: FetchResult = { outcome: 'ok', messages: [], more: false, head: 0, spans: NO_SPANS, size: 0 };

/**
 * The message store as core/contract/store.ts states it, on maps: every call is one transaction and none fails. Failures,
 * latency and late visibility are put around it by `store-node.ts`.
 */
export class MessageStoreModel {
  readonly chats = new Map<ChatId, StoredChat>();
  /** Visible outbox rows in commit order. */
  readonly outbox = new Map<number, OutboxRow>();
  /** What a message says is dropped as soon as it is committed: its day is over at that moment. */
  keepsNothing = false;
  readonly #observer: StoreObserver;
  readonly #receiptMembers: number;
  readonly #hideOutboxRow: (row: OutboxRow) => boolean;
  readonly #chatsOfUser = new Map<UserId, StoredChat[]>();
  readonly #directs = new Map<string, ChatId>();
  /** Messages as they were sent: the ciphertext stands for the digest that outlives it, and only comparisons read it. */
  readonly #sends = new Map<UserId, Map<ClientMsgId, StoredMessage>>();
  readonly #epochs = new Map<DeviceId, number>();
  readonly #devices = new Set<DeviceId>();
  readonly #confirmed = new Set<DeviceId>();
  #outboxId = 1;
  #instances = 0;

  /**
   * @param receiptMembers `limits.receiptMembers`: up to how many members a chat's watermarks are listed.
   * @param hideOutboxRow told of each committed row; where it answers true the row does not go to `outbox`, which gets it later.
   */
  constructor(
    observer: StoreObserver,
    receiptMembers: number,
    hideOutboxRow: (row: OutboxRow) => boolean = () => false,
  ) {
    this.#observer = observer;
    this.#receiptMembers = receiptMembers;
    this.#hideOutboxRow = hideOutboxRow;
  }

  claimInstance(): number {
    this.#instances++;
    return this.#instances;
  }

  /** Chats of which the user is or was a member. */
  chatsOf(userId: UserId): readonly StoredChat[] {
    return this.#chatsOfUser.get(userId) ?? [];
  }

  createChat(request: CreateChatRequest): CreateChatResult {
    if (request.kind === 'direct') {
      const pair = request.members
        .map((member) => member.userId)
        .sort()
        .join(' ');
      const existing = this.#directs.get(pair);
      if (existing !== undefined) return { outcome: 'ok', chatId: existing, created: false };
      this.#directs.set(pair, request.chatId);
    }
    if (this.chats.has(request.chatId)) return { outcome: 'ok', chatId: request.chatId, created: false };
    const chat = new StoredChat(request.chatId, request.kind);
    this.chats.set(request.chatId, chat);
    for (const member of request.members) this.#putMember(chat, member, request.members.length, undefined);
    return { outcome: 'ok', chatId: request.chatId, created: true };
  }

  loadChat(request: LoadRequest): LoadResult {
    const chat = this.chats.get(request.chatId);
    if (chat === undefined) return NO_CHAT;
    const found = this.#find(request.sends);
    const { chatId, kind, head, version } = chat;
    return {
      outcome: 'ok',
      chat: { chatId, kind, head, version, members: [...chat.members.values()] },
      found,
    };
  }

  append(request: AppendRequest): AppendResult {
    const chat = this.chats.get(request.chatId);
    if (chat === undefined) return STALE;
    if (chat.head !== request.expectHead || chat.version !== request.expectVersion) return STALE;
    const found = this.#find(request.messages);
    if (found.length > 0) return { outcome: 'duplicate', found };
    for (const message of request.messages) {
      assert(message.seq === chat.head + 1, 'append with a seq that does not follow the head');
      const sends = this.#sendsOf(message.from);
      // The real store refuses the whole request, again at each attempt: it can never succeed.
      assert(!sends.has(message.clientMsgId), 'append carries one send twice');
      chat.append(message);
      sends.set(message.clientMsgId, message);
      this.#observer.committed(message);
      if (this.keepsNothing) this.#drop(chat, message);
      this.#announce({ id: this.#outboxId++, kind: 'message', message, recipients: request.recipients });
    }
    return OK;
  }

  /** Retention: what all messages so far say is gone. The rest of them stays for ever. */
  dropContents(): void {
    for (const chat of this.chats.values()) for (const message of chat.messages) this.#drop(chat, message);
  }

  /** @param by who asked for it: for the observer alone. */
  changeMember(request: ChangeMemberRequest, by: UserId | undefined): ChangeMemberResult {
    const chat = this.chats.get(request.chatId);
    if (chat === undefined || chat.head !== request.expectHead || chat.version !== request.expectVersion)
      return STALE;
    chat.version++;
    this.#putMember(chat, request.member, request.markAbove, by);
    return OK;
  }

  openDevice(request: OpenDeviceRequest): OpenDeviceResult {
    this.#register(request);
    const epoch = (this.#epochs.get(request.deviceId) ?? 0) + 1;
    this.#epochs.set(request.deviceId, epoch);
    this.#observer.deviceOpened(request.deviceId, epoch);
    return { outcome: 'ok', epoch, confirmed: this.#confirmed.has(request.deviceId) };
  }

  confirmDevice({ deviceId }: OpenDeviceRequest): void {
    this.#confirmed.add(deviceId);
  }

  /** A device that this shard has not seen starts at the heads. */
  #register({ userId, deviceId }: OpenDeviceRequest): void {
    if (this.#devices.has(deviceId)) return;
    this.#devices.add(deviceId);
    for (const chat of this.chatsOf(userId)) {
      const spans = chat.members.get(userId)!.spans;
      this.#moveCursor(chat, deviceId, visibleHead(spans, chat.head));
    }
  }

  /** On every shard but the user's home it is the list that registers the device. */
  listChats(request: ListChatsRequest): ListChatsResult {
    this.#register(request);
    const chats: ChatSummary[] = [];
    for (const chat of this.chatsOf(request.userId)) {
      const { spans } = chat.members.get(request.userId)!;
      // Added and removed again at one seq: a stranger.
      if (spans.length === 0) continue;
      chats.push({
        chatId: chat.chatId,
        head: chat.head,
        cursor: chat.cursors.get(request.deviceId) ?? 0,
        spans,
        size: chat.size,
        receipts: chat.receiptsFor(request.userId, spans, this.#receiptMembers),
      });
    }
    return { outcome: 'ok', chats, complete: true };
  }

  fetch(request: FetchRequest): FetchResult {
    const chat = this.chats.get(request.chatId);
    const spans = chat?.members.get(request.userId)?.spans;
    if (chat === undefined || spans === undefined || spans.length === 0) return STRANGER;
    // It may leave out what this user does not see, and does not: so that the one who asked has to.
    const from = Math.max(0, request.afterSeq);
    const page = chat.messages.slice(from, from + request.limit);
    let bytes = 0;
    const end = page.findIndex(({ ciphertext }, i) => {
      bytes += ciphertext.length;
      return i > 0 && bytes > request.bytes;
    });
    const messages = end < 0 ? page : page.slice(0, end);
    const more = end >= 0 || page.length === request.limit;
    return { outcome: 'ok', messages, more, head: chat.head, spans, size: chat.size };
  }

  saveReceipts(writes: readonly ReceiptWrite[]): SaveReceiptsResult {
    const counted = new Set<ChatId>();
    for (const write of writes) {
      const chat = this.chats.get(write.chatId);
      if (chat !== undefined && this.#saveReceipt(chat, write) && write.counted) counted.add(write.chatId);
    }
    for (const chatId of counted) this.#announce({ id: this.#outboxId++, kind: 'counts', chatId });
    return OK;
  }

  readOutbox(request: ReadOutboxRequest): ReadOutboxResult {
    const rows: OutboxRow[] = [];
    if (this.outbox.size === 0) return { outcome: 'ok', rows };
    const { except } = request;
    const many = except.length > FEW ? new Set(except) : undefined;
    for (const row of this.outbox.values()) {
      if (rows.length === request.limit) break;
      const isExcepted = many === undefined ? except.includes(row.id) : many.has(row.id);
      if (!isExcepted) rows.push(this.#asRead(row, request.inlineCiphertext));
    }
    return { outcome: 'ok', rows };
  }

  deleteOutbox(ids: readonly number[]): DeleteOutboxResult {
    for (const id of ids) this.outbox.delete(id);
    return OK;
  }

  readMembers(request: ReadMembersRequest): ReadMembersResult {
    const chat = this.chats.get(request.chatId);
    if (chat === undefined) return { outcome: 'ok', users: [], positions: [], size: 0 };
    const found: UserId[] = [];
    for (const member of chat.members.values()) {
      if (!canSee(member.spans, request.seq)) continue;
      if (request.afterUser === undefined || member.userId > request.afterUser) found.push(member.userId);
    }
    const users = found.sort().slice(0, request.limit);
    // Who was not asked for them must not need them.
    const wanted = chat.size > request.positionsAbove;
    const positions = wanted
      ? users.map((user) => chat.position(user, request.seq, request.authorsWithin))
      : [];
    return { outcome: 'ok', users, positions, size: chat.size };
  }

  readHeads(request: ReadHeadsRequest): ReadHeadsResult {
    const heads: [ChatId, number][] = [];
    for (const chatId of request.chatIds) {
      const chat = this.chats.get(chatId);
      if (chat !== undefined) heads.push([chatId, chat.head]);
    }
    return { outcome: 'ok', heads };
  }

  countReceipts(request: CountReceiptsRequest): CountReceiptsResult {
    const chat = this.chats.get(request.chatId);
    if (chat === undefined) return { outcome: 'ok', counts: [] };
    const messages = chat.messages
      .slice(-request.limit)
      .filter(({ from }) => request.from === undefined || from === request.from);
    return { outcome: 'ok', counts: countReceipts(messages, chat.countedMembers()) };
  }

  #find(sends: readonly AskedSend[]): FoundSend[] {
    const found: FoundSend[] = [];
    for (const asked of sends) {
      const earlier = this.#sends.get(asked.from)?.get(asked.clientMsgId);
      if (earlier === undefined) continue;
      const { ciphertext, ...message } = earlier;
      found.push({ ...message, sameCiphertext: ciphertext === asked.ciphertext });
    }
    return found;
  }

  #drop(chat: StoredChat, { seq, ciphertext }: StoredMessage): void {
    if (ciphertext === '') return;
    chat.dropContent(seq);
    this.#observer.contentDropped(chat.chatId, seq);
  }

  /** The outbox names messages, it does not repeat them. */
  #asRead(row: OutboxRow, inlineCiphertext: number): OutboxRow {
    if (row.kind !== 'message') return row;
    const { chatId, seq } = row.message;
    const message = this.chats.get(chatId)?.messages[seq - 1];
    assert(message !== undefined, 'an outbox row names a message that is not there');
    if (message.ciphertext.length > inlineCiphertext)
      return { ...row, message: { ...message, ciphertext: undefined } };
    return message === row.message ? row : { ...row, message };
  }

  /** @returns whether a watermark moved. */
  #saveReceipt(chat: StoredChat, write: ReceiptWrite): boolean {
    const { chatId, userId, deviceId, at, recipients } = write;
    const seq = write.seq ?? chat.seqUpToCursor(write.serverMsgId, userId, deviceId);
    if (seq === undefined) return false;
    if (write.type === 'DELIVERED') this.#moveCursor(chat, deviceId, seq);
    const serverMsgId = write.serverMsgId ?? chat.messages[seq - 1]?.serverMsgId;
    if (serverMsgId === undefined) return false;
    const delivered: ReceiptRecord = { chatId, userId, type: 'DELIVERED', seq, serverMsgId, at };
    const moved = chat.moveWatermark(delivered);
    if (moved) this.#announceReceipt(delivered, recipients);
    if (write.type !== 'READ') return moved;
    const read: ReceiptRecord = { chatId, userId, type: 'READ', seq, serverMsgId, at };
    if (!chat.moveWatermark(read)) return moved;
    this.#announceReceipt(read, recipients);
    return true;
  }

  #announceReceipt(receipt: ReceiptRecord, recipients: readonly UserId[]): void {
    this.#observer.watermarkSaved(receipt);
    if (recipients.length > 0) this.#announce({ id: this.#outboxId++, kind: 'receipt', receipt, recipients });
  }

  #announce(row: OutboxRow): void {
    if (!this.#hideOutboxRow(row)) this.outbox.set(row.id, row);
  }

  #moveCursor(chat: StoredChat, deviceId: DeviceId, seq: number): void {
    if (seq <= (chat.cursors.get(deviceId) ?? 0)) return;
    chat.cursors.set(deviceId, seq);
    this.#observer.cursorSaved(deviceId, chat.chatId, seq);
  }

  #putMember(chat: StoredChat, member: Member, markAbove: number, by: UserId | undefined): void {
    if (!chat.members.has(member.userId)) {
      const chats = this.#chatsOfUser.get(member.userId);
      if (chats === undefined) this.#chatsOfUser.set(member.userId, [chat]);
      else chats.push(chat);
    }
    chat.setMember(member, markAbove);
    this.#observer.member(chat, member, by);
  }

  #sendsOf(userId: UserId): Map<ClientMsgId, StoredMessage> {
    let sends = this.#sends.get(userId);
    if (sends === undefined) {
      sends = new Map();
      this.#sends.set(userId, sends);
    }
    return sends;
  }
}
