import type { ChatId, ClientMsgId, ConnId, DeviceId, NodeId, UserId } from '../../core/contract/ids.ts';
import type { Member, ReceiptRecord, StoredMessage } from '../../core/contract/records.ts';
import type { AskedSend } from '../../core/contract/store.ts';
import type { DeviceEffect, ShownMessage } from '../../core/device/device-effect.ts';
import type { SubmitRequest } from '../../core/session/service-call.ts';
import type {
  MessageFrame,
  PresenceStatus,
  ReceiptCountFrame,
  ReceiptDownFrame,
  ReceiptUpFrame,
  ResumeFrame,
  SyncFrame,
} from '../../core/wire/frames.ts';
import type { Engine } from '../engine/engine.ts';
import type { Judge } from '../oracles/judge.ts';
import type { Observation } from '../oracles/observation.ts';
import type { PromiseName, Violation } from '../oracles/oracle.ts';
import type { StoreObserver } from './message-store.ts';
import type { StoredChat } from './stored-chat.ts';

type Effect<Kind extends DeviceEffect['kind']> = Extract<DeviceEffect, { readonly kind: Kind }>;

/** Whose device and which connection, without the hosts' other affairs. */
interface DeviceNames {
  readonly deviceId: DeviceId;
  readonly userId: UserId;
}
interface ConnectionNames {
  readonly id: ConnId;
  readonly epoch: number;
  readonly device: DeviceNames;
}

interface PolledConnectionNames extends ConnectionNames {
  readonly gateway: { readonly nodeId: NodeId };
}
type PollAnswered = Extract<Observation, { readonly kind: 'poll-answered' }>;

/**
 * Reports what happens to the judge at the moment it happens, and stops the run at the first violation. Remembers when
 * anything last made progress, which is what the budget after the heal is measured from.
 */
export class Observers implements StoreObserver {
  lastProgress = 0;
  violation: Violation | undefined;
  /** Every device, and after the heal those that cannot be served, with their users. */
  readonly #devices: DeviceNames[] = [];
  readonly #unserved = new Set<DeviceId | UserId>();
  readonly #engine: Engine;
  readonly #judge: Judge | undefined;

  constructor(engine: Engine, judge: Judge | undefined) {
    this.#engine = engine;
    this.#judge = judge;
  }

  device(device: DeviceNames): void {
    this.#devices.push(device);
    this.report({ kind: 'device', deviceId: device.deviceId, userId: device.userId });
  }

  // ---------------------------------------------------------------- devices

  send(
    device: DeviceNames,
    item: { chatId: ChatId; clientMsgId: Effect<'sent'>['clientMsgId']; ciphertext: string },
  ): void {
    this.#progress();
    if (this.#judge === undefined) return;
    const { deviceId, userId } = device;
    const { chatId, clientMsgId, ciphertext } = item;
    this.report({ kind: 'send', deviceId, userId, chatId, clientMsgId, ciphertext });
  }

  acked(deviceId: DeviceId, sent: Effect<'sent'>): void {
    this.#progress();
    if (this.#judge === undefined) return;
    const { clientMsgId, chatId, serverMsgId, seq } = sent;
    this.report({ kind: 'acked', deviceId, clientMsgId, chatId, serverMsgId, seq });
  }

  sendFailed(deviceId: DeviceId, failed: Effect<'send-failed'>): void {
    this.#progress();
    if (this.#judge === undefined) return;
    const { clientMsgId, chatId, code } = failed;
    this.report({ kind: 'send-failed', deviceId, clientMsgId, chatId, code });
  }

  sentAgain(deviceId: DeviceId, send: Pick<Effect<'send-failed'>, 'clientMsgId' | 'chatId'>): void {
    const { clientMsgId, chatId } = send;
    if (this.#judge !== undefined) this.report({ kind: 'sent-again', deviceId, clientMsgId, chatId });
  }

  countShown(deviceId: DeviceId, count: ReceiptCountFrame): void {
    this.#progress();
    if (this.#judge === undefined) return;
    const { chatId, serverMsgId, seq, deliveredCount, readCount } = count;
    this.report({ kind: 'count-shown', deviceId, chatId, serverMsgId, seq, deliveredCount, readCount });
  }

  heldBack(deviceId: DeviceId, span: number): void {
    if (this.#judge !== undefined) this.report({ kind: 'held-back', deviceId, span });
  }

  sentOn(deviceId: DeviceId): void {
    if (this.#judge !== undefined) this.report({ kind: 'sent-on', deviceId });
  }

  asked(deviceId: DeviceId, conn: ConnId, { chatId, afterSeq }: SyncFrame): void {
    if (this.#judge !== undefined) this.report({ kind: 'asked', deviceId, conn, chatId, afterSeq });
  }

  readFor(serviceId: NodeId, chatId: ChatId, sends: readonly AskedSend[]): void {
    if (this.#judge === undefined) return;
    for (const userId of new Set(sends.map(({ from }) => from)))
      this.report({ kind: 'read-for', serviceId, userId, chatId });
  }

  changeConfirmed(change: Omit<Extract<Observation, { kind: 'change-confirmed' }>, 'kind'>): void {
    if (this.#judge !== undefined) this.report({ kind: 'change-confirmed', ...change });
  }

  startCursor(deviceId: DeviceId, chatId: ChatId, seq: number): void {
    if (this.#judge !== undefined) this.report({ kind: 'start-cursor', deviceId, chatId, seq });
  }

  shown(device: DeviceNames, message: ShownMessage): void {
    this.#progress();
    if (this.#judge === undefined) return;
    const { deviceId, userId } = device;
    const { chatId, seq, serverMsgId, from, fromDevice, ciphertext, mediaIds, sentAt } = message;
    // Field by field: a spread in front of others is copied by the runtime, one by one.
    this.report({
      kind: 'shown',
      deviceId,
      userId,
      chatId,
      seq,
      serverMsgId,
      from,
      fromDevice,
      ciphertext,
      mediaIds,
      sentAt,
    });
  }

  receiptSent(device: DeviceNames, frame: ReceiptUpFrame): void {
    if (this.#judge === undefined) return;
    const { deviceId, userId } = device;
    const { chatId, serverMsgId, type } = frame;
    this.report({ kind: 'receipt-sent', deviceId, userId, chatId, serverMsgId, type });
  }

  read(deviceId: DeviceId, chatId: ChatId): void {
    if (this.#judge !== undefined) this.report({ kind: 'read', deviceId, chatId });
  }

  receiptShown(deviceId: DeviceId, frame: ReceiptDownFrame): void {
    if (this.#judge !== undefined) this.report({ kind: 'receipt-shown', deviceId, receipt: frame });
  }

  presenceShown(deviceId: DeviceId, userId: UserId, status: PresenceStatus): void {
    this.#progressOf(userId);
    if (this.#judge !== undefined) this.report({ kind: 'presence-shown', deviceId, userId, status });
  }

  watching(deviceId: DeviceId, chatId: ChatId, on: boolean): void {
    if (this.#judge !== undefined) this.report({ kind: 'watching', deviceId, chatId, on });
  }

  deviceLive(device: DeviceNames, live: boolean): void {
    this.#progressOf(device.deviceId);
    if (this.#judge === undefined) return;
    this.report({ kind: 'device-live', deviceId: device.deviceId, userId: device.userId, live });
  }

  // ---------------------------------------------------------------- gateways

  resumed(gatewayId: NodeId, conn: ConnectionNames, cursors: ResumeFrame['cursors']): void {
    if (this.#judge === undefined) return;
    const { id, epoch, device } = conn;
    this.report({ kind: 'resumed', gatewayId, conn: id, deviceId: device.deviceId, epoch, cursors });
  }

  pushed(gatewayId: NodeId, conn: ConnectionNames, frame: MessageFrame): void {
    if (this.#judge === undefined) return;
    const { deviceId, userId } = conn.device;
    const { chatId, seq, prev } = frame;
    this.report({ kind: 'pushed', gatewayId, conn: conn.id, deviceId, userId, chatId, seq, prev });
  }

  admitted(gatewayId: NodeId, send: Omit<SubmitRequest, 'kind'>): void {
    if (this.#judge === undefined) return;
    const { deviceId, userId, clientMsgId, replyTo } = send;
    this.report({ kind: 'admitted', gatewayId, conn: replyTo.conn, deviceId, userId, clientMsgId });
  }

  refused(gatewayId: NodeId, { id: conn, device }: ConnectionNames, clientMsgId: ClientMsgId): void {
    if (this.#judge === undefined) return;
    const { deviceId, userId } = device;
    this.report({ kind: 'refused', gatewayId, conn, deviceId, userId, clientMsgId });
  }

  replaced(conn: ConnectionNames): void {
    if (this.#judge === undefined) return;
    this.report({ kind: 'replaced', deviceId: conn.device.deviceId, epoch: conn.epoch });
  }

  /** An answer to a poll, or to a post, as its device took it. */
  pollAnswered(
    conn: PolledConnectionNames,
    answer: Omit<PollAnswered, 'kind' | 'gatewayId' | 'conn' | 'deviceId'>,
  ): void {
    if (this.#judge === undefined) return;
    const { id, gateway, device } = conn;
    this.report({
      kind: 'poll-answered',
      gatewayId: gateway.nodeId,
      conn: id,
      deviceId: device.deviceId,
      ...answer,
    });
  }

  outlived(gatewayId: NodeId, conn: ConnectionNames, span: number): void {
    if (this.#judge === undefined) return;
    this.report({ kind: 'outlived', gatewayId, conn: conn.id, deviceId: conn.device.deviceId, span });
  }

  fenced(gatewayId: NodeId, conn: ConnectionNames): void {
    if (this.#judge === undefined) return;
    this.report({ kind: 'fenced', gatewayId, conn: conn.id, deviceId: conn.device.deviceId });
  }

  welcomed(gatewayId: NodeId, conn: ConnectionNames): void {
    if (this.#judge === undefined) return;
    this.report({ kind: 'welcomed', gatewayId, conn: conn.id, deviceId: conn.device.deviceId });
  }

  pushMetOlder(
    gatewayId: NodeId,
    push: { deviceId: DeviceId; epoch: number },
    epoch: number,
    taken: boolean,
  ): void {
    if (this.#judge === undefined) return;
    const { deviceId, epoch: named } = push;
    this.report({ kind: 'push-met-older', gatewayId, deviceId, named, epoch, taken });
  }

  lease(deviceId: DeviceId, by: number, before: number | undefined, after: number | undefined): void {
    if (this.#judge !== undefined && before !== after)
      this.report({ kind: 'lease', deviceId, by, before, after });
  }

  // ---------------------------------------------------------------- the store

  committed(message: StoredMessage): void {
    this.#progress();
    if (this.#judge !== undefined) this.report({ kind: 'committed', message });
  }

  member(chat: StoredChat, member: Member, by: UserId | undefined): void {
    this.#progress();
    if (this.#judge === undefined) return;
    const { chatId, kind: chatKind, head, version } = chat;
    this.report({ kind: 'member', chatId, chatKind, member, head, version, by });
  }

  cursorSaved(deviceId: DeviceId, chatId: ChatId, seq: number): void {
    this.#progress();
    if (this.#judge !== undefined) this.report({ kind: 'cursor-saved', deviceId, chatId, seq });
  }

  watermarkSaved(receipt: ReceiptRecord): void {
    this.#progress();
    if (this.#judge !== undefined) this.report({ kind: 'watermark-saved', receipt });
  }

  contentDropped(chatId: ChatId, seq: number): void {
    if (this.#judge !== undefined) this.report({ kind: 'content-dropped', chatId, seq });
  }

  deviceOpened(deviceId: DeviceId, epoch: number): void {
    if (this.#judge !== undefined) this.report({ kind: 'device-opened', deviceId, epoch });
  }

  // ---------------------------------------------------------------- the run

  gauge(node: NodeId, name: string, value: number, limit: number): void {
    if (this.#judge !== undefined) this.report({ kind: 'gauge', node, name, value, limit });
  }

  fault(active: number, behind: number, unfeltToo: number, suspended: readonly PromiseName[]): void {
    this.report({ kind: 'fault', active, behind, unfeltToo, suspended });
  }

  healed(served: readonly DeviceId[], heard: readonly DeviceId[]): void {
    this.#progress();
    for (const { deviceId, userId } of this.#devices)
      if (!served.includes(deviceId)) this.#unserved.add(deviceId).add(userId);
    this.report({ kind: 'healed', served, heard });
  }

  end(quiet: boolean): void {
    this.report({ kind: 'end', quiet });
  }

  report(observation: Observation): void {
    if (this.#judge === undefined || this.violation !== undefined) return;
    this.violation = this.#judge.observe(observation, this.#engine.now);
    if (this.violation !== undefined) this.#engine.stop();
  }

  /** Whoever cannot be served comes and goes for ever, and everybody who watches him sees it: that leads nowhere. */
  #progressOf(who: DeviceId | UserId): void {
    if (!this.#unserved.has(who)) this.#progress();
  }

  #progress(): void {
    this.lastProgress = this.#engine.now;
  }
}
