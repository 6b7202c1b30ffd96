import type { ReceiptRecord } from '../../../core/contract/records.ts';
import type { Done, MessageReceipts, MessageStore } from '../../ports/message-store.ts';
import { ModelServer, type Question } from './model-server.ts';
import type { Caller, Fate } from './store-step.ts';

/** The simulator's store behind the port, as one caller sees it. */
export class ModelStore implements MessageStore {
  /** What becomes of the next writes, one each. */
  readonly fates: Fate[] = [];
  /** It has no connection. */
  isAway = false;
  readonly #server: ModelServer;
  readonly #caller: Caller;

  constructor(server = new ModelServer(), caller: Caller = 's1') {
    this.#server = server;
    this.#caller = caller;
  }

  append: MessageStore['append'] = (request, done) => this.#write({ kind: 'append', request }, done);
  createChat: MessageStore['createChat'] = (request, done) =>
    this.#write({ kind: 'create-chat', request }, done);
  changeMember: MessageStore['changeMember'] = (request, done) =>
    this.#write({ kind: 'change-member', request, by: undefined }, done);
  openDevice: MessageStore['openDevice'] = (device, done) =>
    this.#write({ kind: 'open-device', ...device }, done);
  saveReceipts: MessageStore['saveReceipts'] = (writes, done) =>
    this.#write({ kind: 'save-receipts', writes }, done);
  deleteOutbox: MessageStore['deleteOutbox'] = (ids, done) =>
    this.#write({ kind: 'delete-outbox', ids }, done);
  confirmDevice: MessageStore['confirmDevice'] = (device) => {
    this.#ask({ kind: 'confirm-device', ...device }, undefined, () => {});
  };

  loadChat: MessageStore['loadChat'] = (request, done) =>
    this.#ask({ kind: 'load-chat', request }, undefined, done);
  listChats: MessageStore['listChats'] = (device, done) =>
    this.#ask({ kind: 'list-chats', ...device }, undefined, done);
  fetch: MessageStore['fetch'] = (page, done) => this.#ask({ kind: 'fetch', ...page }, undefined, done);
  fetchHistory: MessageStore['fetchHistory'] = (page, done) => this.fetch(page, done);
  readOutbox: MessageStore['readOutbox'] = (request, done) =>
    this.#ask({ kind: 'read-outbox', request }, undefined, done);
  readMembers: MessageStore['readMembers'] = (request, done) =>
    this.#ask({ kind: 'read-members', request }, undefined, done);
  readHeads: MessageStore['readHeads'] = (heads, done) =>
    this.#ask({ kind: 'read-heads', ...heads }, undefined, done);
  countReceipts: MessageStore['countReceipts'] = (request, done) =>
    this.#ask({ kind: 'count-receipts', request }, undefined, done);

  claimInstance = async (): Promise<number> => this.#server.node.model.claimInstance();

  receiptsOf: MessageStore['receiptsOf'] = async (chatId, serverMsgId) => {
    const { receipts: moves } = this.#server;
    const { model } = this.#server.node;
    const chat = model.chats.get(chatId);
    const message = chat?.messages.find((each) => each.serverMsgId === serverMsgId);
    if (chat === undefined || message === undefined) return undefined;
    const first = (userId: string, type: string): ReceiptRecord['at'] | undefined =>
      moves.find((r) => r.chatId === chatId && r.userId === userId && r.type === type && r.seq >= message.seq)
        ?.at;
    const receipts: MessageReceipts[] = [];
    for (const { userId, spans } of chat.members.values()) {
      if (userId === message.from) continue;
      if (!spans.some((span) => span.after < message.seq && message.seq <= span.upTo)) continue;
      receipts.push({ userId, deliveredAt: first(userId, 'DELIVERED'), readAt: first(userId, 'READ') });
    }
    return { seq: message.seq, receipts };
  };

  saveMedia: MessageStore['saveMedia'] = async (record) => {
    const { media } = this.#server;
    if (media.has(record.mediaId)) return false;
    media.set(record.mediaId, record);
    return true;
  };
  findMedia: MessageStore['findMedia'] = async (mediaId) => this.#server.media.get(mediaId);
  maySeeMedia: MessageStore['maySeeMedia'] = async ({ mediaId, chatId, userId }) => {
    const chat = this.#server.node.model.chats.get(chatId);
    const spans = chat?.members.get(userId)?.spans ?? [];
    return (chat?.messages ?? []).some(
      ({ mediaIds, seq }) =>
        mediaIds.includes(mediaId) && spans.some((span) => span.after < seq && seq <= span.upTo),
    );
  };

  ping = async (): Promise<void> => {};
  close = async (): Promise<void> => {};

  #write<Result>(question: Question, done: Done<Result>): void {
    this.#ask(question, this.fates.shift(), done);
  }

  #ask<Result>(question: Question, fate: Fate | undefined, done: Done<Result>): void {
    const befalls = this.isAway ? 'refused' : fate;
    this.#server.ask(this.#caller, question, befalls, (result) => done(result as Result));
  }
}
