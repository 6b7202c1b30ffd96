import { assertNever } from '../../../core/contract/assert.ts';
import type { Member, OutboxRow, ReceiptRecord, StoredMessage } from '../../../core/contract/records.ts';
import type { AppendRequest, ReceiptWrite } from '../../../core/contract/store.ts';
import { canSee } from '../../../core/sequencing/membership.ts';
import type { Done, MessageStore } from '../../ports/message-store.ts';
import type { Observation } from '../script.ts';
import {
  chatOf,
  deviceOf,
  foundText,
  messageText,
  saidBy,
  ScriptCounters,
  sendOf,
  spansOf,
  spanText,
  userOf,
  wordOf,
} from './script-words.ts';
import type { CallStep, ReceiptStep } from './store-step.ts';

/** More than any script writes, in messages and in bytes of them. */
const ALL = 10_000;
/** Chats of scripts have a handful of members. */
const MARK_ABOVE = 2;

type Of<Kind extends CallStep['do']> = Extract<CallStep, { readonly do: Kind }>;

/** Carries out the calls of one script, and puts what came back into words that both sides must share. */
export class StoreCalls {
  readonly #counters = new ScriptCounters();
  /** Outbox rows that reads have given, and that nobody has deleted. */
  #read = new Set<number>();

  /** @param arm called right before the write of the step: what is to befall it must not befall what is read before. */
  async perform(store: MessageStore, step: CallStep, arm = (): void => {}): Promise<Observation> {
    switch (step.do) {
      case 'create': {
        const members = step.members.map((word, i): Member => {
          return { userId: userOf(word), role: i === 0 ? 'owner' : 'member', spans: spansOf([[0]]) };
        });
        const request = { chatId: chatOf(step.chat), kind: step.kind ?? 'group', members } as const;
        const result = await asked(armed(store.createChat.bind(store), arm), request);
        return result.outcome === 'ok' ? [wordOf(result.chatId), result.created] : result.outcome;
      }
      case 'append':
        return this.#append(store, step, arm);
      case 'load': {
        const sends = (step.sends ?? []).map((send) => ({ ...sendOf(send), ciphertext: saidBy(send) }));
        const request = { chatId: chatOf(step.chat), sends };
        const result = await asked(store.loadChat.bind(store), request);
        if (result.outcome !== 'ok') return result.outcome;
        const { kind, head, version, members } = result.chat;
        const named = members.map((each) => `${wordOf(each.userId)} ${each.role} ${spanText(each.spans)}`);
        return { kind, head, version, members: named.toSorted(), found: result.found.map(foundText) };
      }
      case 'member': {
        const { expectHead, expectVersion } = await this.#expectation(store, step);
        const member = {
          userId: userOf(step.user),
          role: step.role ?? 'member',
          spans: spansOf(step.spans),
        } as const;
        const request = {
          chatId: chatOf(step.chat),
          expectHead,
          expectVersion,
          member,
          markAbove: MARK_ABOVE,
        };
        return (await asked(armed(store.changeMember.bind(store), arm), request)).outcome;
      }
      case 'open-device': {
        const result = await asked(armed(store.openDevice.bind(store), arm), deviceOf(step.device));
        return result.outcome === 'ok'
          ? { epoch: result.epoch, confirmed: result.confirmed }
          : result.outcome;
      }
      case 'confirm-device':
        return this.#confirm(store, step);
      case 'list':
        return this.#list(store, step);
      case 'fetch':
        return this.#fetch(store, step);
      case 'receipts': {
        const writes = step.writes.map((write) => this.#receipt(write));
        return (await asked(armed(store.saveReceipts.bind(store), arm), writes)).outcome;
      }
      case 'outbox':
        return this.#outbox(store, step);
      case 'delete-outbox': {
        const ids = [...this.#read];
        const { outcome } = await asked(armed(store.deleteOutbox.bind(store), arm), ids);
        if (outcome === 'ok') this.#read = new Set();
        return outcome;
      }
      case 'members': {
        const request = {
          chatId: chatOf(step.chat),
          seq: step.seq,
          afterUser: step.after === undefined ? undefined : userOf(step.after),
          limit: step.limit,
          positionsAbove: step.above ?? ALL,
          authorsWithin: step.authors ?? 0,
        };
        const result = await asked(store.readMembers.bind(store), request);
        if (result.outcome !== 'ok') return result.outcome;
        const { users, positions, size } = result;
        // Nobody looks at positions of a chat that is not larger.
        return { users: users.map(wordOf), size, positions: size > request.positionsAbove ? positions : [] };
      }
      case 'heads': {
        const result = await asked(store.readHeads.bind(store), { chatIds: step.chats.map(chatOf) });
        if (result.outcome !== 'ok') return result.outcome;
        return result.heads.map(([chatId, head]) => `${wordOf(chatId)} ${head}`).toSorted();
      }
      case 'counts': {
        const from = step.from === undefined ? undefined : userOf(step.from);
        const request = { chatId: chatOf(step.chat), from, limit: step.limit };
        const result = await asked(store.countReceipts.bind(store), request);
        if (result.outcome !== 'ok') return result.outcome;
        return result.counts.map((count) => ({ ...count }));
      }
      case 'together':
        return Promise.all(step.steps.map((each) => this.perform(store, each)));
      default:
        return assertNever(step);
    }
  }

  async #append(store: MessageStore, step: Of<'append'>, arm: () => void): Promise<Observation> {
    const chatId = chatOf(step.chat);
    const { expectHead, expectVersion } = await this.#expectation(store, step);
    const messages = step.sends.map((send, i): StoredMessage => {
      const { from, clientMsgId } = sendOf(send);
      return {
        chatId,
        seq: expectHead + 1 + i,
        serverMsgId: this.#counters.nextMessage(send),
        clientMsgId,
        from,
        fromDevice: deviceOf(`${send.split(':')[0]}.d1`).deviceId,
        ciphertext: saidBy(send),
        mediaIds: [],
        sentAt: this.#counters.nextTime(),
      };
    });
    const recipients = step.to === 'too many' ? undefined : (step.to ?? []).map(userOf);
    const request: AppendRequest = { chatId, expectHead, expectVersion, messages, recipients };
    const result = await asked(armed(store.append.bind(store), arm), request);
    return result.outcome === 'duplicate' ? { duplicate: result.found.map(foundText) } : result.outcome;
  }

  /** What a write expects of its chat: what the script says, or what a load says, or less than that. */
  async #expectation(store: MessageStore, step: Of<'append'> | Of<'member'>) {
    if (step.at !== undefined) return { expectHead: step.at[0], expectVersion: step.at[1] };
    const loaded = await asked(store.loadChat.bind(store), { chatId: chatOf(step.chat), sends: [] });
    const { head, version } = loaded.outcome === 'ok' ? loaded.chat : { head: 0, version: 0 };
    return { expectHead: Math.max(0, head - (step.stale ?? 0)), expectVersion: version };
  }

  /** It has no answer, so it is done when the next opening says so. */
  async #confirm(store: MessageStore, { device }: Of<'confirm-device'>): Promise<Observation> {
    const key = deviceOf(device);
    store.confirmDevice(key);
    // The lane gathers confirmations for some milliseconds.
    await new Promise((resolve) => setTimeout(resolve, 100));
    return undefined;
  }

  async #list(store: MessageStore, { device }: Of<'list'>): Promise<Observation> {
    const result = await asked(store.listChats.bind(store), deviceOf(device));
    if (result.outcome !== 'ok') return result.outcome;
    const chats = result.chats.map(({ chatId, head, cursor, spans, size, receipts }) => {
      const marks = receipts.map(receiptText).toSorted();
      return { chat: wordOf(chatId), head, cursor, spans: spanText(spans), size, receipts: marks };
    });
    return chats.toSorted((a, b) => (a.chat < b.chat ? -1 : 1));
  }

  /** Rows outside the spans may come or not: nobody may rely on either. */
  async #fetch(store: MessageStore, step: Of<'fetch'>): Promise<Observation> {
    const { user, chat, after = 0 } = step;
    const request = {
      userId: userOf(user),
      chatId: chatOf(chat),
      afterSeq: after,
      limit: ALL,
      bytes: step.bytes ?? ALL,
    };
    const result = await asked(store.fetch.bind(store), request);
    if (result.outcome !== 'ok') return result.outcome;
    const { head, spans, size, messages } = result;
    const seen = messages.filter(({ seq }) => canSee(spans, seq));
    // Which rows outside the spans fill a page is the store's affair.
    const more = step.bytes === undefined ? undefined : result.more;
    return { head, size, spans: spanText(spans), messages: texts(seen), more };
  }

  #receipt({ type, device, chat, seq, send, to = [], counted = false }: ReceiptStep): ReceiptWrite {
    const { userId, deviceId } = deviceOf(device);
    const serverMsgId = send === undefined ? undefined : this.#counters.messageOf(send);
    const at = this.#counters.nextTime();
    const recipients = to.map(userOf);
    return { chatId: chatOf(chat), userId, deviceId, type, serverMsgId, seq, at, recipients, counted };
  }

  /** As a set: rows become visible in commit order, which is not that of their ids. */
  async #outbox(store: MessageStore, { fresh = false }: Of<'outbox'>): Promise<Observation> {
    const request = { limit: ALL, inlineCiphertext: ALL, except: fresh ? [...this.#read] : [] };
    const result = await asked(store.readOutbox.bind(store), request);
    if (result.outcome !== 'ok') return result.outcome;
    for (const { id } of result.rows) this.#read.add(id);
    return result.rows.map(rowText).toSorted();
  }
}

function texts(messages: readonly StoredMessage[]): readonly string[] {
  return messages.map(messageText);
}

function receiptText({ chatId, userId, type, seq, serverMsgId, at }: ReceiptRecord): string {
  return `${wordOf(chatId)} ${wordOf(userId)} ${type} ${seq} ${wordOf(serverMsgId)} @${at % 1_000_000}`;
}

function rowText(row: OutboxRow): string {
  switch (row.kind) {
    case 'message': {
      const to = row.recipients === undefined ? 'too many' : row.recipients.map(wordOf).join(' ');
      return `${messageText(row.message)} to ${to}`;
    }
    case 'receipt':
      return `${receiptText(row.receipt)} to ${row.recipients.map(wordOf).join(' ')}`;
    case 'counts':
      return `count ${wordOf(row.chatId)}`;
    default:
      return assertNever(row);
  }
}

function asked<Request, Result>(
  call: (request: Request, done: Done<Result>) => void,
  request: Request,
): Promise<Result> {
  return new Promise((resolve) => call(request, resolve));
}

function armed<Request, Result>(
  call: (request: Request, done: Done<Result>) => void,
  arm: () => void,
): (request: Request, done: Done<Result>) => void {
  return (request, done) => {
    arm();
    call(request, done);
  };
}
