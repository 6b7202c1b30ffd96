import { describe, test } from 'vitest';
import { DEFAULT_LIMITS } from '../../core/contract/limits.ts';
import type { ReceiptRecord } from '../../core/contract/records.ts';
import { MessageStoreModel } from '../../sim/world/message-store.ts';
import { messageStoreContract } from '../adapters/postgres/message-store.contract.ts';
import type { Done, MediaRecord, MessageStore, MessageReceipts } from '../ports/message-store.ts';

/**
 * The simulator's message store must do what the real one does, or what it proves says nothing about production. The same
 * behaviours that PostgreSQL is held to are run against the model here.
 */

/** The model behind the port. What the model does not keep (the time of each receipt) is gathered from its commits. */
class ModelStore implements MessageStore {
  readonly #receipts: ReceiptRecord[] = [];
  readonly #media = new Map<string, MediaRecord>();
  readonly #model = new MessageStoreModel(
    {
      committed: () => {},
      member: () => {},
      cursorSaved: () => {},
      watermarkSaved: (receipt) => void this.#receipts.push(receipt),
      deviceOpened: () => {},
    },
    DEFAULT_LIMITS.receiptMembers,
  );

  append: MessageStore['append'] = (request, done) => answer(done, () => this.#model.append(request));
  loadChat: MessageStore['loadChat'] = (request, done) => answer(done, () => this.#model.loadChat(request));
  createChat: MessageStore['createChat'] = (request, done) =>
    answer(done, () => this.#model.createChat(request));
  changeMember: MessageStore['changeMember'] = (request, done) =>
    answer(done, () => this.#model.changeMember(request));
  openDevice: MessageStore['openDevice'] = (request, done) =>
    answer(done, () => this.#model.openDevice(request));
  confirmDevice: MessageStore['confirmDevice'] = (request) => this.#model.confirmDevice(request);
  listChats: MessageStore['listChats'] = (request, done) =>
    answer(done, () => this.#model.listChats(request));
  fetch: MessageStore['fetch'] = (request, done) => answer(done, () => this.#model.fetch(request));
  fetchHistory: MessageStore['fetchHistory'] = (request, done) => this.fetch(request, done);
  saveReceipts: MessageStore['saveReceipts'] = (writes, done) =>
    answer(done, () => this.#model.saveReceipts(writes));
  readOutbox: MessageStore['readOutbox'] = (request, done) =>
    answer(done, () => this.#model.readOutbox(request));
  deleteOutbox: MessageStore['deleteOutbox'] = (ids, done) =>
    answer(done, () => this.#model.deleteOutbox(ids));
  readMembers: MessageStore['readMembers'] = (request, done) =>
    answer(done, () => this.#model.readMembers(request));
  readHeads: MessageStore['readHeads'] = (request, done) =>
    answer(done, () => this.#model.readHeads(request));
  countReceipts: MessageStore['countReceipts'] = (request, done) =>
    answer(done, () => this.#model.countReceipts(request));

  claimInstance = async (): Promise<number> => this.#model.claimInstance();

  receiptsOf: MessageStore['receiptsOf'] = async (chatId, serverMsgId) => {
    const chat = this.#model.chats.get(chatId);
    const message = chat?.messages.find((each) => each.serverMsgId === serverMsgId);
    if (chat === undefined || message === undefined) return undefined;
    const first = (userId: string, type: string): ReceiptRecord['at'] | undefined =>
      this.#receipts.find(
        (r) => r.chatId === chatId && r.userId === userId && r.type === type && r.seq >= message.seq,
      )?.at;
    const receipts: MessageReceipts[] = [];
    for (const { userId, spans } of chat.members.values()) {
      if (userId === message.from) continue;
      if (!spans.some((span) => span.after < message.seq && message.seq <= span.upTo)) continue;
      receipts.push({ userId, deliveredAt: first(userId, 'DELIVERED'), readAt: first(userId, 'READ') });
    }
    return { seq: message.seq, receipts };
  };

  saveMedia: MessageStore['saveMedia'] = async (record) => {
    if (this.#media.has(record.mediaId)) return false;
    this.#media.set(record.mediaId, record);
    return true;
  };
  findMedia: MessageStore['findMedia'] = async (mediaId) => this.#media.get(mediaId);
  maySeeMedia: MessageStore['maySeeMedia'] = async ({ mediaId, chatId, userId }) => {
    const chat = this.#model.chats.get(chatId);
    const spans = chat?.members.get(userId)?.spans ?? [];
    return (chat?.messages ?? []).some(
      ({ mediaIds, seq }) =>
        mediaIds.includes(mediaId) && spans.some((span) => span.after < seq && seq <= span.upTo),
    );
  };

  ping = async (): Promise<void> => {};
  close = async (): Promise<void> => {};
}

function answer<Result>(done: Done<Result>, work: () => Result): void {
  queueMicrotask(() => done(work()));
}

describe('the message store of the simulator', () => {
  for (const { name, run } of messageStoreContract(
    async () => new ModelStore(),
    DEFAULT_LIMITS.receiptMembers,
  )) {
    test(name, run);
  }
});
