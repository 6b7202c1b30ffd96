import { DEFAULT_LIMITS } from '../../../core/contract/limits.ts';
import type { ReceiptRecord } from '../../../core/contract/records.ts';
import { MessageStoreModel } from '../../../sim/world/message-store.ts';
import type { Done, MediaRecord, MessageReceipts, MessageStore } from '../../ports/message-store.ts';
import type { Fate } from './store-step.ts';

/** A write that has not reached the model yet. */
interface HeldWrite {
  readonly fate: 'late' | 'open' | 'behind';
  carryOut(): void;
  /** Tells its caller that it came to nothing. */
  giveUp(outcome: 'failed' | 'unknown'): void;
}

/** What the model stores, and what is on its way there: behind one or several stores. */
export class ModelServer {
  readonly media = new Map<string, MediaRecord>();
  /** The model does not keep the time of each receipt: gathered from its commits. */
  readonly receipts: ReceiptRecord[] = [];
  readonly model = new MessageStoreModel(
    {
      committed: () => {},
      member: () => {},
      cursorSaved: () => {},
      watermarkSaved: (receipt) => void this.receipts.push(receipt),
      contentDropped: () => {},
      deviceOpened: () => {},
    },
    DEFAULT_LIMITS.receiptMembers,
  );
  #held: HeldWrite[] = [];

  hold(write: HeldWrite): void {
    this.#held.push(write);
  }

  /** What is held arrives. */
  release(): void {
    for (const write of this.#held.splice(0)) write.carryOut();
  }

  /** Every session ends. Who waits for a lock learns that nothing happened; who waits for his COMMIT does not. */
  endSessions(): void {
    for (const write of this.#held.splice(0)) write.giveUp(write.fate === 'behind' ? 'failed' : 'unknown');
  }

  /** Every connection is lost: nobody learns anything. */
  crash(): void {
    for (const write of this.#held.splice(0)) write.giveUp('unknown');
  }
}

/** The model behind the port, as one caller sees it. */
export class ModelStore implements MessageStore {
  /** What becomes of the next writes, one each. */
  readonly fates: Fate[] = [];
  /** It has no connection. */
  isAway = false;
  readonly #server: ModelServer;

  constructor(server = new ModelServer()) {
    this.#server = server;
  }

  append: MessageStore['append'] = (request, done) => this.#write(done, (model) => model.append(request));
  createChat: MessageStore['createChat'] = (request, done) =>
    this.#write(done, (model) => model.createChat(request));
  changeMember: MessageStore['changeMember'] = (request, done) =>
    this.#write(done, (model) => model.changeMember(request));
  openDevice: MessageStore['openDevice'] = (request, done) =>
    this.#write(done, (model) => model.openDevice(request));
  saveReceipts: MessageStore['saveReceipts'] = (writes, done) =>
    this.#write(done, (model) => model.saveReceipts(writes));
  deleteOutbox: MessageStore['deleteOutbox'] = (ids, done) =>
    this.#write(done, (model) => model.deleteOutbox(ids));
  confirmDevice: MessageStore['confirmDevice'] = (request) => {
    if (!this.isAway) this.#server.model.confirmDevice(request);
  };

  loadChat: MessageStore['loadChat'] = (request, done) =>
    this.#read(done, (model) => model.loadChat(request));
  listChats: MessageStore['listChats'] = (request, done) =>
    this.#read(done, (model) => model.listChats(request));
  fetch: MessageStore['fetch'] = (request, done) => this.#read(done, (model) => model.fetch(request));
  fetchHistory: MessageStore['fetchHistory'] = (request, done) => this.fetch(request, done);
  readOutbox: MessageStore['readOutbox'] = (request, done) =>
    this.#read(done, (model) => model.readOutbox(request));
  readMembers: MessageStore['readMembers'] = (request, done) =>
    this.#read(done, (model) => model.readMembers(request));
  readHeads: MessageStore['readHeads'] = (request, done) =>
    this.#read(done, (model) => model.readHeads(request));
  countReceipts: MessageStore['countReceipts'] = (request, done) =>
    this.#read(done, (model) => model.countReceipts(request));

  claimInstance = async (): Promise<number> => this.#server.model.claimInstance();

  receiptsOf: MessageStore['receiptsOf'] = async (chatId, serverMsgId) => {
    const { model, receipts: moves } = this.#server;
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
    const chat = this.#server.model.chats.get(chatId);
    const spans = chat?.members.get(userId)?.spans ?? [];
    return (chat?.messages ?? []).some(
      ({ mediaIds, seq }) =>
        mediaIds.includes(mediaId) && spans.some((span) => span.after < seq && seq <= span.upTo),
    );
  };

  ping = async (): Promise<void> => {};
  close = async (): Promise<void> => {};

  #read<Result>(done: Done<Result>, work: (model: MessageStoreModel) => Result): void {
    answer(done, this.isAway ? ending('failed') : work(this.#server.model));
  }

  #write<Result>(done: Done<Result>, work: (model: MessageStoreModel) => Result): void {
    const { model } = this.#server;
    const fate = this.fates.shift();
    if (this.isAway || fate === 'refused') answer(done, ending('failed'));
    else if (fate === 'lost-before') answer(done, ending('unknown'));
    else if (fate === 'lost-after' || fate === 'mute' || fate === 'killed' || fate === 'waiting') {
      work(model);
      answer(done, ending('unknown'));
    } else if (fate === 'late') {
      this.#server.hold({ fate, carryOut: () => void work(model), giveUp: () => {} });
      answer(done, ending('unknown'));
    } else if (fate === 'open' || fate === 'behind') {
      const carryOut = (): void => answer(done, work(model));
      this.#server.hold({ fate, carryOut, giveUp: (outcome) => answer(done, ending(outcome)) });
    } else answer(done, work(model));
  }
}

/** Every write may end so, and every read `failed`; the types of the results cannot say it. */
function ending<Result>(outcome: 'failed' | 'unknown'): Result {
  return { outcome } as Result;
}

function answer<Result>(done: Done<Result>, result: Result): void {
  queueMicrotask(() => done(result));
}
