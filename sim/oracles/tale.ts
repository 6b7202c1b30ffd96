import {
  chatId,
  clientMsgId,
  connId,
  deviceId,
  nodeId,
  type ServerMsgId,
  serverMsgId,
  userId,
} from '../../core/contract/ids.ts';
import { DEFAULT_LIMITS } from '../../core/contract/limits.ts';
import {
  type Member,
  OPEN_END,
  type ReceiptType,
  type Span,
  type StoredMessage,
} from '../../core/contract/records.ts';
import { type Micros, micros, MILLISECOND } from '../../core/contract/time.ts';
import type { PresenceStatus } from '../../core/wire/frames.ts';
import { createJudge, type JudgeOptions } from './judge.ts';
import type { Observation, Seen } from './observation.ts';
import type { PromiseName, Violation } from './oracle.ts';

/**
 * A history told by hand, for checking the checkers: each method says one thing that happened, a millisecond after the
 * one before, and `judged` has the oracles read it. Device d_N belongs to user u_N unless it was introduced otherwise;
 * message "m_1" has clientMsgId "k_1".
 */
export class Tale {
  readonly events: { readonly at: number; readonly observation: Observation }[] = [];
  readonly #owners = new Map<string, string>();
  #now = 0;

  /** Lets time pass, in microseconds. */
  wait(duration: number): this {
    this.#now += duration;
    return this;
  }

  tell(observation: Observation): this {
    this.#now += MILLISECOND;
    this.events.push({ at: this.#now, observation });
    return this;
  }

  /** Device d_N of u_N (or of `user`), live unless said otherwise. */
  device(device: string, user: string = device.replace('d_', 'u_'), live = true): this {
    this.#owners.set(device, user);
    this.tell({ kind: 'device', deviceId: deviceId(device), userId: userId(user) });
    return live ? this.live(device, true) : this;
  }

  live(device: string, live: boolean): this {
    return this.tell({ kind: 'device-live', deviceId: deviceId(device), userId: this.#owner(device), live });
  }

  /** Opens a session, without cursors unless given. */
  resume(device: string, conn: number, cursors: readonly (readonly [string, number])[] = []): this {
    return this.tell({
      kind: 'resumed',
      gatewayId: nodeId('gateway-0'),
      conn: connId(conn),
      deviceId: deviceId(device),
      epoch: conn,
      cursors: cursors.map(([chat, seq]) => [chatId(chat), seq] as const),
    });
  }

  /** A connection gets its epoch. */
  opened(device: string, epoch: number): this {
    return this.tell({ kind: 'device-opened', deviceId: deviceId(device), epoch });
  }

  /** An answer of the poll session of d_N, as the device takes it. */
  polled(
    device: string,
    answer: {
      readonly acked: number;
      readonly after: number;
      readonly had: number;
      readonly heard: readonly number[];
      readonly said?: number;
    },
  ): this {
    const names = { gatewayId: nodeId('gateway-0'), conn: connId(9), deviceId: deviceId(device) };
    return this.tell({ kind: 'poll-answered', ...names, said: undefined, ...answer });
  }

  outlived(device: string, span: number): this {
    const names = { gatewayId: nodeId('gateway-0'), conn: connId(9), deviceId: deviceId(device) };
    return this.tell({ kind: 'outlived', ...names, span });
  }

  replaced(device: string, epoch: number): this {
    return this.tell({ kind: 'replaced', deviceId: deviceId(device), epoch });
  }

  start(device: string, chat: string, seq: number): this {
    return this.tell({ kind: 'start-cursor', deviceId: deviceId(device), chatId: chatId(chat), seq });
  }

  member(
    chat: string,
    user: string,
    spans: readonly Span[] = [{ after: 0, upTo: OPEN_END }],
    head = 0,
    change: Partial<Pick<Member, 'role'> & Pick<Seen<'member'>, 'by' | 'chatKind'>> = {},
  ): this {
    const { role = 'member', by, chatKind = 'group' } = change;
    const member = { userId: userId(user), role, spans };
    return this.tell({ kind: 'member', chatId: chatId(chat), chatKind, member, head, version: 1, by });
  }

  send(device: string, chat: string, key: string): this {
    return this.tell({
      kind: 'send',
      deviceId: deviceId(device),
      userId: this.#owner(device),
      chatId: chatId(chat),
      clientMsgId: clientMsgId(key),
      ciphertext: 'AAAA',
    });
  }

  commit(
    device: string,
    chat: string,
    seq: number,
    message: string,
    change: Partial<StoredMessage> = {},
  ): this {
    return this.tell({
      kind: 'committed',
      message: {
        chatId: chatId(chat),
        seq,
        serverMsgId: serverMsgId(message),
        clientMsgId: clientMsgId(message.replace('m_', 'k_')),
        from: this.#owner(device),
        fromDevice: deviceId(device),
        ciphertext: 'AAAA',
        mediaIds: [],
        sentAt: micros(0),
        ...change,
      },
    });
  }

  ack(
    device: string,
    chat: string,
    seq: number,
    message: string,
    key: string = message.replace('m_', 'k_'),
  ): this {
    return this.tell({
      kind: 'acked',
      deviceId: deviceId(device),
      clientMsgId: clientMsgId(key),
      chatId: chatId(chat),
      serverMsgId: serverMsgId(message),
      seq,
    });
  }

  /** Sent, committed and acknowledged, by u_1 from d_1, and shown to itself. */
  sent(chat: string, seq: number, message: string): this {
    return this.send('d_1', chat, message.replace('m_', 'k_'))
      .commit('d_1', chat, seq, message)
      .ack('d_1', chat, seq, message)
      .shown('d_1', chat, seq, message);
  }

  push(device: string, conn: number, chat: string, seq: number, prev: number = seq - 1): this {
    return this.tell({
      kind: 'pushed',
      gatewayId: nodeId('gateway-0'),
      conn: connId(conn),
      deviceId: deviceId(device),
      userId: this.#owner(device),
      chatId: chatId(chat),
      seq,
      prev,
    });
  }

  shown(
    device: string,
    chat: string,
    seq: number,
    message: string,
    change: Partial<Pick<StoredMessage, 'ciphertext' | 'mediaIds' | 'sentAt'>> = {},
  ): this {
    return this.tell({
      kind: 'shown',
      deviceId: deviceId(device),
      userId: this.#owner(device),
      chatId: chatId(chat),
      seq,
      serverMsgId: serverMsgId(message),
      from: userId('u_1'),
      fromDevice: deviceId('d_1'),
      ciphertext: 'AAAA',
      mediaIds: [],
      sentAt: micros(0),
      ...change,
    });
  }

  cursor(device: string, chat: string, seq: number): this {
    return this.tell({ kind: 'cursor-saved', deviceId: deviceId(device), chatId: chatId(chat), seq });
  }

  confirm(device: string, chat: string, message: string, type: ReceiptType): this {
    return this.tell({
      kind: 'receipt-sent',
      deviceId: deviceId(device),
      userId: this.#owner(device),
      chatId: chatId(chat),
      serverMsgId: serverMsgId(message),
      type,
    });
  }

  watermark(user: string, chat: string, seq: number, message: string, type: ReceiptType): this {
    return this.tell({ kind: 'watermark-saved', receipt: this.#receipt(user, chat, seq, message, type) });
  }

  receiptShown(
    device: string,
    user: string,
    chat: string,
    seq: number,
    message: string,
    type: ReceiptType,
  ): this {
    const receipt = this.#receipt(user, chat, seq, message, type);
    return this.tell({ kind: 'receipt-shown', deviceId: deviceId(device), receipt });
  }

  watch(device: string, chat: string, on = true): this {
    return this.tell({ kind: 'watching', deviceId: deviceId(device), chatId: chatId(chat), on });
  }

  presence(device: string, user: string, status: PresenceStatus): this {
    return this.tell({ kind: 'presence-shown', deviceId: deviceId(device), userId: userId(user), status });
  }

  gauge(name: string, value: number, limit: number): this {
    return this.tell({ kind: 'gauge', node: nodeId('gateway-0'), name, value, limit });
  }

  /** @param behind those among them that hit more than devices and their networks. */
  fault(active: number, suspended: readonly PromiseName[] = [], behind = active): this {
    return this.tell({ kind: 'fault', active, behind, suspended });
  }

  heal(...served: readonly string[]): this {
    return this.healBut([], ...served);
  }

  /** @param heard devices that are not served, and of which a gateway hears all the same. */
  healBut(heard: readonly string[], ...served: readonly string[]): this {
    return this.tell({ kind: 'healed', served: served.map(deviceId), heard: heard.map(deviceId) });
  }

  end(quiet = true): this {
    return this.tell({ kind: 'end', quiet });
  }

  /** Has the oracles read the history. @returns the first violation, or undefined. */
  judged(options: Partial<JudgeOptions> = {}): Violation | undefined {
    const judge = createJudge({
      limits: DEFAULT_LIMITS,
      commitsSeen: 'at-once',
      latencyLimit: 500 * MILLISECOND,
      ...options,
    });
    for (const { at, observation } of this.events) {
      const violation = judge.observe(observation, at);
      if (violation !== undefined) return violation;
    }
    return undefined;
  }

  #owner(device: string) {
    return userId(this.#owners.get(device) ?? device.replace('d_', 'u_'));
  }

  #receipt(user: string, chat: string, seq: number, message: string, type: ReceiptType) {
    const id: ServerMsgId = serverMsgId(message);
    const at: Micros = micros(this.#now);
    return { chatId: chatId(chat), userId: userId(user), type, seq, serverMsgId: id, at };
  }
}

/** u_1 (d_1) and u_2 (d_2, and d_3) in chat c_1, everybody live and resumed, nothing written yet. */
export function threeDevices(): Tale {
  return new Tale()
    .device('d_1')
    .device('d_2')
    .device('d_3', 'u_2')
    .member('c_1', 'u_1')
    .member('c_1', 'u_2')
    .resume('d_1', 1)
    .resume('d_2', 2)
    .resume('d_3', 3);
}
