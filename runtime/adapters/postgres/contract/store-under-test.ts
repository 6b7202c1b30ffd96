import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type {
  ChatId,
  ClientMsgId,
  DeviceId,
  MediaId,
  ServerMsgId,
  UserId,
} from '../../../../core/contract/ids.ts';
import {
  type ChatKind,
  type Member,
  OPEN_END,
  type OutboxRow,
  type ReceiptType,
  type Role,
  type Span,
  type StoredMessage,
} from '../../../../core/contract/records.ts';
import type * as Calls from '../../../../core/contract/store.ts';
import type { Micros } from '../../../../core/contract/time.ts';
import type { Done, MessageStore } from '../../../ports/message-store.ts';

export const ALWAYS: readonly Span[] = [{ after: 0, upTo: OPEN_END }];

/** A chat as a behaviour sees it: what it has written so far. */
export interface TestChat {
  readonly chatId: ChatId;
  readonly users: readonly UserId[];
  head: number;
  version: number;
}

/** Which shard an id's rows lie on. */
export type ShardOf = (id: string) => number;

/** The store's calls as promises, and rows with ids of their own, so that behaviours may share one store. */
export class StoreUnderTest {
  readonly store: MessageStore;
  readonly #shardOf: ShardOf;
  readonly #base: bigint;
  #next = 0n;

  /** Claims an instance: its number makes the ids unique for the life of the store. */
  static async of(store: MessageStore, shardOf?: ShardOf): Promise<StoreUnderTest> {
    return new StoreUnderTest(store, await store.claimInstance(), shardOf);
  }

  constructor(store: MessageStore, instance: number, shardOf: ShardOf = () => 0) {
    this.store = store;
    this.#shardOf = shardOf;
    // Above 2^53, so that an id that passes through a JavaScript number anywhere comes back as another.
    this.#base = (1n << 60n) + (BigInt(instance) << 32n);
  }

  // ---- ids

  user(): UserId {
    return `u_${this.#id()}` as UserId;
  }
  device(): DeviceId {
    return `d_${this.#id()}` as DeviceId;
  }
  chatId(): ChatId {
    return `c_${this.#id()}` as ChatId;
  }
  media(): MediaId {
    return `x_${this.#id()}` as MediaId;
  }
  #id(): string {
    this.#next++;
    // Odd numbers: the lowest bit is the first that a double loses.
    return String(this.#base + 2n * this.#next + 1n);
  }

  // ---- calls

  append(request: Calls.AppendRequest): Promise<Calls.AppendResult> {
    return once((done) => this.store.append(request, done));
  }
  load(chatId: ChatId, sends: readonly Calls.AskedSend[] = []): Promise<Calls.LoadResult> {
    return once((done) => this.store.loadChat({ chatId, sends }, done));
  }
  create(request: Calls.CreateChatRequest): Promise<Calls.CreateChatResult> {
    return once((done) => this.store.createChat(request, done));
  }
  changeMember(request: Calls.ChangeMemberRequest): Promise<Calls.ChangeMemberResult> {
    return once((done) => this.store.changeMember(request, done));
  }
  openDevice(userId: UserId, deviceId: DeviceId): Promise<Calls.OpenDeviceResult> {
    return once((done) => this.store.openDevice({ userId, deviceId }, done));
  }
  async list(userId: UserId, deviceId: DeviceId) {
    const result = await once<Calls.ListChatsResult>((done) =>
      this.store.listChats({ userId, deviceId }, done),
    );
    assert(result.outcome === 'ok');
    return result.chats;
  }
  async fetch(userId: UserId, chatId: ChatId, afterSeq = 0, limit = 100, bytes = 1_000_000_000) {
    const request = { userId, chatId, afterSeq, limit, bytes };
    const result = await once<Calls.FetchResult>((done) => this.store.fetch(request, done));
    assert(result.outcome === 'ok');
    return result;
  }
  async saveReceipts(...writes: Calls.ReceiptWrite[]): Promise<void> {
    const result = await once<Calls.SaveReceiptsResult>((done) => this.store.saveReceipts(writes, done));
    assert.equal(result.outcome, 'ok');
  }
  async members(chatId: ChatId, seq: number, afterUser: UserId | undefined, limit: number) {
    return (await this.memberPage(chatId, seq, afterUser, limit, Number.MAX_SAFE_INTEGER)).users;
  }
  async memberPage(
    chatId: ChatId,
    seq: number,
    afterUser: UserId | undefined,
    limit: number,
    positionsAbove: number,
    authorsWithin = 0,
  ) {
    const request = { chatId, seq, afterUser, limit, positionsAbove, authorsWithin };
    const result = await once<Calls.ReadMembersResult>((done) => this.store.readMembers(request, done));
    assert(result.outcome === 'ok');
    return result;
  }
  async counts(chatId: ChatId, from: UserId | undefined, limit: number) {
    const request = { chatId, from, limit };
    const result = await once<Calls.CountReceiptsResult>((done) => this.store.countReceipts(request, done));
    assert(result.outcome === 'ok');
    return result.counts;
  }
  async heads(...chatIds: ChatId[]) {
    const result = await once<Calls.ReadHeadsResult>((done) => this.store.readHeads({ chatIds }, done));
    assert(result.outcome === 'ok');
    return result.heads;
  }
  async readOutbox(
    limit: number,
    except: readonly number[],
    inlineCiphertext = 1_000_000,
  ): Promise<readonly OutboxRow[]> {
    const request = { limit, inlineCiphertext, except };
    const result = await once<Calls.ReadOutboxResult>((done) => this.store.readOutbox(request, done));
    assert(result.outcome === 'ok');
    return result.rows;
  }
  /** Outbox rows of one chat, oldest first. */
  async outboxOf(chatId: ChatId): Promise<readonly OutboxRow[]> {
    const rows = await this.readOutbox(1_000_000, []);
    return rows.filter((row) => chatOf(row) === chatId);
  }
  async deleteOutbox(rows: readonly OutboxRow[]): Promise<void> {
    const ids = rows.map((row) => row.id);
    const result = await once<Calls.DeleteOutboxResult>((done) => this.store.deleteOutbox(ids, done));
    assert.equal(result.outcome, 'ok');
  }

  // ---- steps that behaviours share

  /** Groups of two on one shard: a send key is unique within a shard. */
  async neighbours(count: number): Promise<readonly TestChat[]> {
    const ids: ChatId[] = [];
    while (ids.length < count) {
      const id = this.chatId();
      if (this.#shardOf(id) === this.#shardOf(ids[0] ?? id)) ids.push(id);
    }
    return Promise.all(ids.map((id) => this.chat(2, 'group', id)));
  }

  /** Creates a chat in which everybody sees everything; the first user is its owner. */
  async chat(
    users: number | readonly UserId[],
    kind: ChatKind = 'group',
    chatId: ChatId = this.chatId(),
  ): Promise<TestChat> {
    const list = typeof users === 'number' ? Array.from({ length: users }, () => this.user()) : users;
    const members = list.map((userId, i) => member(userId, ALWAYS, i === 0 ? 'owner' : 'member'));
    const result = await this.create({ chatId, kind, members });
    assert.deepEqual(result, { outcome: 'ok', chatId, created: true });
    return { chatId, users: list, head: 0, version: 0 };
  }

  message(chat: TestChat, seq: number, fields: Partial<StoredMessage> = {}): StoredMessage {
    return {
      chatId: chat.chatId,
      seq,
      serverMsgId: `m_${this.#id()}` as ServerMsgId,
      clientMsgId: randomUUID() as ClientMsgId,
      from: chat.users[0] ?? this.user(),
      fromDevice: this.device(),
      ciphertext: Buffer.from(`message ${seq}`).toString('base64'),
      mediaIds: [],
      sentAt: (1_700_000_000_000_000 + seq) as Micros,
      ...fields,
    };
  }

  request(chat: TestChat, messages: readonly StoredMessage[]): Calls.AppendRequest {
    const { chatId, head, version, users } = chat;
    return { chatId, expectHead: head, expectVersion: version, messages, recipients: users };
  }

  /** Appends `count` messages in one request. */
  async appendSome(chat: TestChat, count: number): Promise<readonly StoredMessage[]> {
    const messages = Array.from({ length: count }, (_, i) => this.message(chat, chat.head + 1 + i));
    assert.deepEqual(await this.append(this.request(chat, messages)), { outcome: 'ok' });
    chat.head += count;
    return messages;
  }

  async setSpans(
    chat: TestChat,
    userId: UserId,
    spans: readonly Span[],
    role: Role = 'member',
    markAbove: number = Number.MAX_SAFE_INTEGER,
  ): Promise<void> {
    const request = {
      chatId: chat.chatId,
      expectHead: chat.head,
      expectVersion: chat.version,
      member: member(userId, spans, role),
      markAbove,
    };
    assert.deepEqual(await this.changeMember(request), { outcome: 'ok' });
    chat.version++;
  }

  async record(chatId: ChatId) {
    const loaded = await this.load(chatId);
    assert(loaded.outcome === 'ok');
    return loaded.chat;
  }
}

function chatOf(row: OutboxRow): ChatId {
  if (row.kind === 'message') return row.message.chatId;
  return row.kind === 'receipt' ? row.receipt.chatId : row.chatId;
}

export function member(userId: UserId, spans: readonly Span[] = ALWAYS, role: Role = 'member'): Member {
  return { userId, role, spans };
}

/** A message as it is found for a send with its key. */
export function asFound(message: StoredMessage | undefined, sameCiphertext = true): Calls.FoundSend {
  const { ciphertext: _, ...rest } = the(message);
  return { ...rest, sameCiphertext };
}

/** A receipt for a message; `at` is where in time the watermark moves. */
export function receipt(
  type: ReceiptType,
  message: StoredMessage,
  userId: UserId,
  deviceId: DeviceId,
  fields: Partial<Calls.ReceiptWrite> = {},
): Calls.ReceiptWrite {
  const { chatId, serverMsgId, seq, from } = message;
  const at = (2_000_000_000_000_000 + seq) as Micros;
  return {
    chatId,
    userId,
    deviceId,
    type,
    serverMsgId,
    seq,
    at,
    recipients: [from],
    counted: false,
    ...fields,
  };
}

/** @throws AssertionError when the call answers before it returned, or twice. */
export function once<Result>(call: (done: Done<Result>) => void): Promise<Result> {
  return new Promise((resolve, reject) => {
    let returned = false;
    let answers = 0;
    call((result) => {
      answers++;
      if (!returned) reject(new assert.AssertionError({ message: 'answered before the call returned' }));
      if (answers > 1) reject(new assert.AssertionError({ message: 'answered twice' }));
      // A turn of the event loop later, so that a second answer is seen.
      setImmediate(() => resolve(result));
    });
    returned = true;
  });
}

/** A value that a behaviour knows to be there. @throws AssertionError when it is not. */
export function the<Value>(value: Value | undefined): Value {
  assert(value !== undefined, 'a value is missing');
  return value;
}
