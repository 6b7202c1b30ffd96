import { chatId, clientMsgId, connId, deviceId, nodeId, serverMsgId, userId } from '../../contract/ids.ts';
import { DEFAULT_LIMITS, type Limits } from '../../contract/limits.ts';
import {
  type ChatSummary,
  type DeliveryItem,
  OPEN_END,
  type ReceiptRecord,
  type Span,
  type StoredMessage,
} from '../../contract/records.ts';
import type { FetchResult } from '../../contract/store.ts';
import { micros, SECOND } from '../../contract/time.ts';
import type { ClientFrame, GoawayFrame } from '../../wire/frames.ts';
import { createGateway, stepGateway } from '../gateway.ts';
import type { GatewayEvent, GatewayTimer } from '../gateway-event.ts';
import type { ClaimResult, RenewOutcome } from '../lease.ts';
import type { Gateway } from '../session-state.ts';
import { line } from './effect-line.ts';

export const C = chatId('c_1');
export const EVER: readonly Span[] = [{ after: 0, upTo: OPEN_END }];
export const me = (device = 1, user = 1) => ({
  userId: userId(`u_${user}`),
  deviceId: deviceId(`d_${device}`),
});

export const chat = (cursor: number, head: number, change: Partial<ChatSummary> = {}): ChatSummary => ({
  chatId: C,
  head,
  cursor,
  spans: EVER,
  receipts: [],
  size: 2,
  ...change,
});
export const row = (seq: number, change: Partial<StoredMessage> = {}): StoredMessage => ({
  chatId: C,
  seq,
  serverMsgId: serverMsgId(`m_${seq}`),
  clientMsgId: clientMsgId(`k${seq}`),
  from: userId('u_2'),
  fromDevice: deviceId('d_2'),
  ciphertext: 'AAAA',
  mediaIds: [],
  sentAt: micros(1),
  ...change,
});
export const mine = (device: number) => ({ from: userId('u_1'), fromDevice: deviceId(`d_${device}`) });
export const readBy = (user: string, seq: number, chatId = C): ReceiptRecord => ({
  chatId,
  userId: userId(user),
  type: 'READ',
  seq,
  serverMsgId: serverMsgId(`m_${seq}`),
  at: micros(1),
});

/**
 * A gateway and the world around it: each method is one event, and answers with the effects of that event as lines.
 * Unless a test says otherwise it is connection 1, of device `d_1` of user `u_1`, and the chat `c_1`.
 */
export class GatewayUnderTest {
  readonly gateway: Gateway;
  /** Every GOAWAY, for what its line leaves out. */
  readonly goaways: GoawayFrame[] = [];
  #now = 100 * SECOND;
  /** The latest fetch of each connection. */
  readonly #calls = new Map<number, number>();
  #page = { limit: 0, bytes: 0 };
  #pushId = 0;

  constructor(change: Partial<Limits> = {}) {
    this.gateway = createGateway({
      nodeId: nodeId('gw-1'),
      region: 'eu',
      limits: { ...DEFAULT_LIMITS, ...change },
      seed: 1,
    });
  }

  /** Every effect of one event. */
  all(event: GatewayEvent): string[] {
    const effects = stepGateway(this.gateway, event, micros(this.#now));
    for (const effect of effects) {
      if (effect.kind === 'frame' && effect.frame.frame === 'GOAWAY') this.goaways.push(effect.frame);
      if (effect.kind !== 'fetch') continue;
      this.#calls.set(effect.conn, effect.call);
      this.#page = { limit: effect.limit, bytes: effect.bytes };
    }
    return effects.map(line);
  }

  /** The same without timers, which most scenarios are not about. */
  step(event: GatewayEvent): string[] {
    return this.all(event).filter((l) => !l.startsWith('wake'));
  }

  later(seconds: number): number {
    return (this.#now += seconds * SECOND);
  }

  wake(timer: GatewayTimer, conn?: number): string[] {
    return this.all({ kind: 'wake', timer, conn: conn === undefined ? undefined : connId(conn) });
  }

  // -------------------------------------------------------------- a session opens

  open(conn = 1, device = 1, user = 1): string[] {
    return this.all({
      kind: 'open',
      conn: connId(conn),
      ...me(device, user),
      expiresAt: micros(5_000 * SECOND),
    });
  }

  opened(epoch: number, conn = 1, confirmed = true): string[] {
    return this.all({
      kind: 'device-opened',
      conn: connId(conn),
      result: { outcome: 'ok', epoch, confirmed },
    });
  }

  notOpened(outcome: 'failed' | 'unknown', conn = 1): string[] {
    return this.all({ kind: 'device-opened', conn: connId(conn), result: { outcome } });
  }

  claimed(result: ClaimResult = { outcome: 'held', previous: undefined }, conn = 1): string[] {
    return this.all({ kind: 'claimed', conn: connId(conn), result });
  }

  chats(chats: readonly ChatSummary[], conn = 1, complete = true): string[] {
    return this.step({ kind: 'chats', conn: connId(conn), result: { outcome: 'ok', chats, complete } });
  }

  notListed(conn = 1): string[] {
    return this.all({ kind: 'chats', conn: connId(conn), result: { outcome: 'failed' } });
  }

  renewed(...outcomes: RenewOutcome[]): string[] {
    return this.step({ kind: 'renewed', conns: outcomes.map((_, i) => connId(i + 1)), outcomes });
  }

  /** Up to the list of chats, which is asked for and not there yet. */
  listing(conn = 1, device = 1, epoch = 1, user = 1): this {
    this.open(conn, device, user);
    this.opened(epoch, conn);
    this.claimed(undefined, conn);
    return this;
  }

  /** Up to WELCOME, with these chats. */
  welcome(chats: readonly ChatSummary[] = [chat(5, 5)], conn = 1, device = 1, epoch = 1): this {
    this.listing(conn, device, epoch);
    this.chats(chats, conn);
    return this;
  }

  /** Live, in one chat of five messages that the device has. */
  live(conn = 1, device = 1, epoch = 1): this {
    this.welcome(undefined, conn, device, epoch);
    this.resume(undefined, conn);
    return this;
  }

  // -------------------------------------------------------------- what the device says

  say(frame: ClientFrame, conn = 1): string[] {
    return this.step({ kind: 'frame', conn: connId(conn), frame });
  }

  resume(cursor?: number, conn = 1): string[] {
    return this.say({ frame: 'RESUME', cursors: cursor === undefined ? [] : [[C, cursor]] }, conn);
  }

  /** DELIVERED or READ of the message with this seq. */
  receipt(seq: number, type: 'DELIVERED' | 'READ' = 'DELIVERED', conn = 1): string[] {
    return this.say({ frame: 'RECEIPT', chatId: C, serverMsgId: serverMsgId(`m_${seq}`), type }, conn);
  }

  send(key: string, conn = 1): string[] {
    return this.say(
      { frame: 'SEND', clientMsgId: clientMsgId(key), chatId: C, ciphertext: 'AAAA', mediaIds: [] },
      conn,
    );
  }

  // -------------------------------------------------------------- what comes for the device

  ack(key: string, seq: number, conn = 1): string[] {
    return this.step({
      kind: 'reply',
      reply: {
        kind: 'ack',
        conn: connId(conn),
        clientMsgId: clientMsgId(key),
        chatId: C,
        serverMsgId: serverMsgId(`m_${seq}`),
        seq,
        sentAt: micros(seq),
        duplicate: false,
      },
    });
  }

  /** The event of the next push. */
  pushOf(item: DeliveryItem, device = 1, epoch = 1, user = 1): GatewayEvent {
    const to = { ...me(device, user), epoch };
    return { kind: 'push', push: { worker: nodeId('dw-1'), pushId: ++this.#pushId, ...to, item } };
  }

  pushItem(item: DeliveryItem, device = 1, epoch = 1, user = 1): string[] {
    return this.step(this.pushOf(item, device, epoch, user));
  }

  push(seq: number, change: Partial<StoredMessage> = {}, device = 1, epoch = 1): string[] {
    return this.pushItem({ kind: 'message', message: row(seq, change) }, device, epoch);
  }

  pushLong(seq: number): string[] {
    return this.pushItem({ kind: 'message', message: { ...row(seq), ciphertext: undefined } });
  }

  pushReceipt(receipt: ReceiptRecord): string[] {
    return this.pushItem({ kind: 'receipt', receipt });
  }

  pushTyping(): string[] {
    return this.pushItem({ kind: 'typing', chatId: C, from: userId('u_2') });
  }

  // -------------------------------------------------------------- what the store answers

  /** Answers the latest fetch with these messages of c_1, of which `head` is the newest there is. */
  fetched(seqs: readonly number[], head: number, spans = EVER, conn = 1): string[] {
    return this.fetchedRows(
      seqs.map((seq) => row(seq)),
      head,
      spans,
      conn,
    );
  }

  fetchedRows(messages: readonly StoredMessage[], head: number, spans = EVER, conn = 1): string[] {
    return this.answer(
      { outcome: 'ok', messages, more: messages.length >= this.#page.limit, head, spans, size: 2 },
      conn,
    );
  }

  /** As `fetched`, of a page that ended at its size. */
  fetchedFull(seqs: readonly number[], head: number): string[] {
    return this.answer({
      outcome: 'ok',
      messages: seqs.map((seq) => row(seq)),
      more: true,
      head,
      spans: EVER,
      size: 2,
    });
  }

  answer(result: FetchResult, conn = 1): string[] {
    return this.step({ kind: 'fetched', conn: connId(conn), call: this.call(conn), chatId: C, result });
  }

  /** The latest fetch of the connection. */
  call(conn = 1): number {
    return this.#calls.get(conn) ?? 0;
  }

  /** How much of the store the latest fetch asked for. */
  page(): { readonly limit: number; readonly bytes: number } {
    return this.#page;
  }
}

export const start = (change: Partial<Limits> = {}): GatewayUnderTest => new GatewayUnderTest(change);
