import {
  type ChatId,
  type ClientMsgId,
  chatId,
  type ConnId,
  connId,
  deviceId,
  nodeId,
  type UserId,
  userId,
} from '../../core/contract/ids.ts';
import { DEFAULT_LIMITS } from '../../core/contract/limits.ts';
import { onePlacement } from '../../core/contract/placement.ts';
import {
  type DeliveryEvent,
  OPEN_END,
  type OutboxRow,
  type SessionEntry,
} from '../../core/contract/records.ts';
import { micros, type Micros } from '../../core/contract/time.ts';
import type { DeliveryWorkerEffect } from '../../core/delivery/delivery-effect.ts';
import type { DeliveryWorkerEvent } from '../../core/delivery/delivery-event.ts';
import { createDeliveryWorker, stepDeliveryWorker } from '../../core/delivery/delivery-worker.ts';
import { createDevice, stepDevice } from '../../core/device/device.ts';
import { emptyDisk } from '../../core/device/device-disk.ts';
import type { DeviceEffect } from '../../core/device/device-effect.ts';
import type { DeviceEvent } from '../../core/device/device-event.ts';
import type { Device } from '../../core/device/device-state.ts';
import { createRelay, stepRelay } from '../../core/fan-out/relay.ts';
import type { RelayEffect } from '../../core/fan-out/relay-effect.ts';
import type { RelayEvent } from '../../core/fan-out/relay-event.ts';
import { createMessageService, stepMessageService } from '../../core/sequencing/message-service.ts';
import type { MessageServiceEffect } from '../../core/sequencing/message-service-effect.ts';
import type { MessageServiceEvent } from '../../core/sequencing/message-service-event.ts';
import { createGateway, stepGateway } from '../../core/session/gateway.ts';
import type { GatewayEffect } from '../../core/session/gateway-effect.ts';
import type { GatewayEvent } from '../../core/session/gateway-event.ts';
import { Turns } from './turns.ts';

/** Sends that are handed to the machines together, as a busy process would find them. */
const BURST_PER_PAIR = 4;
const CIPHERTEXT = 'A'.repeat(136);

type MachineName = 'device' | 'gateway' | 'message service' | 'relay' | 'delivery worker';

/** What a device is to be told. */
interface DeviceDue {
  readonly device: Device;
  readonly conn: ConnId;
  readonly event: DeviceEvent;
}

export interface MachineRate {
  readonly machine: string;
  readonly steps: number;
  readonly stepsPerSecond: number;
}

/** Bursts in a row without a message shown: the circuit is stuck, and would be for ever. */
const IDLE_BURSTS = 20;

/**
 * All machines wired to each other. What is told to a role waits in that role's queue, first in, first out, and each role
 * empties its queue in turn, as real ones do: a machine that is entered again while its effects are carried out would see
 * its own messages out of order.
 */
export class Circuit {
  readonly #forDevices = new Turns<DeviceDue>();
  readonly #forGateway = new Turns<GatewayEvent>();
  readonly #forService = new Turns<MessageServiceEvent>();
  readonly #forRelay = new Turns<RelayEvent>();
  readonly #forWorker = new Turns<DeliveryWorkerEvent>();
  readonly #pairs: number;
  readonly #clock: (() => number) | undefined;
  readonly #steps = new Map<MachineName, { steps: number; ms: number }>();
  readonly #gateway = createGateway({
    nodeId: nodeId('gateway'),
    region: 'bench',
    limits: DEFAULT_LIMITS,
    seed: 1,
  });
  readonly #service = createMessageService({
    nodeId: nodeId('service'),
    instance: 1,
    limits: DEFAULT_LIMITS,
    placement: onePlacement('bench'),
    region: 'bench',
    seed: 1,
  });
  readonly #relay = createRelay({ limits: DEFAULT_LIMITS, seed: 1 });
  readonly #worker = createDeliveryWorker({ nodeId: nodeId('worker'), limits: DEFAULT_LIMITS, seed: 1 });
  readonly #devices: Device[] = [];
  readonly #users = new Map<ConnId, { device: Device; own: ConnId }>();
  readonly #sessions = new Map<UserId, SessionEntry[]>();
  readonly #chats: ChatId[] = [];
  #outbox: OutboxRow[] = [];
  #records: DeliveryEvent[] = [];
  #nextRow = 1;
  #nextOffset = 0;
  #nextSend = 1;
  #shown = 0;
  #now: Micros = micros(1);
  /** Receipt timers of the devices: fired at the end of each burst. */
  #receiptsDue: { readonly device: Device; readonly conn: ConnId }[] = [];

  constructor(pairs: number, clock: (() => number) | undefined) {
    this.#pairs = pairs;
    this.#clock = clock;
    this.#deliver({ kind: 'assigned', partition: 0, generation: 1, offset: 0 });
    for (let pair = 0; pair < pairs; pair++) this.#chats.push(chatId(`c_${pair + 1}`));
    for (let i = 0; i < 2 * pairs; i++) this.#connect(i);
    this.#drain();
  }

  #drain(): void {
    for (let busy = true; busy; ) {
      busy = false;
      const devices = this.#forDevices.turn();
      for (let i = 0; i < devices; i++) {
        const { device, conn, event } = this.#forDevices.take(i);
        this.#stepDevice(device, conn, event);
      }
      const gateway = this.#forGateway.turn();
      for (let i = 0; i < gateway; i++) this.#stepGateway(this.#forGateway.take(i));
      const service = this.#forService.turn();
      for (let i = 0; i < service; i++) this.#stepService(this.#forService.take(i));
      const relay = this.#forRelay.turn();
      for (let i = 0; i < relay; i++) this.#stepRelay(this.#forRelay.take(i));
      const worker = this.#forWorker.turn();
      for (let i = 0; i < worker; i++) this.#stepWorker(this.#forWorker.take(i));
      busy = devices + gateway + service + relay + worker > 0;
    }
  }

  #device(device: Device, conn: ConnId, event: DeviceEvent): void {
    this.#forDevices.push({ device, conn, event });
  }

  #atGateway(event: GatewayEvent): void {
    this.#forGateway.push(event);
  }

  #atService(event: MessageServiceEvent): void {
    this.#forService.push(event);
  }

  #atRelay(event: RelayEvent): void {
    this.#forRelay.push(event);
  }

  #deliver(event: DeliveryWorkerEvent): void {
    this.#forWorker.push(event);
  }

  #connect(index: number): void {
    const user = userId(`u_${index + 1}`);
    const id = deviceId(`d_${index + 1}`);
    const device = createDevice({
      userId: user,
      deviceId: id,
      limits: DEFAULT_LIMITS,
      seed: 1,
      disk: emptyDisk(),
    });
    this.#devices.push(device);
    const conn = connId(index + 1);
    this.#users.set(conn, { device, own: connId(1) });
    this.#device(device, conn, { kind: 'start' });
    this.#atGateway({
      kind: 'open',
      conn,
      userId: user,
      deviceId: id,
      expiresAt: micros(Number.MAX_SAFE_INTEGER),
    });
  }

  /** @returns messages shown, at least `count`. */
  run(count: number): number {
    const before = this.#shown;
    for (let idle = 0; this.#shown - before < count; ) {
      const shown = this.#shown;
      this.#burst();
      idle = this.#shown === shown ? idle + 1 : 0;
      if (idle === IDLE_BURSTS) throw new Error(`the circuit is stuck after ${this.#shown} messages`);
    }
    return this.#shown - before;
  }

  machines(): readonly MachineRate[] {
    return [...this.#steps].map(([machine, { steps, ms }]) => ({
      machine,
      steps,
      stepsPerSecond: (steps / ms) * 1000,
    }));
  }

  #burst(): void {
    // Slow enough for the rate of one device: the bench is of what is let through.
    this.#now = micros(this.#now + 50_000);
    for (let n = 0; n < BURST_PER_PAIR; n++) {
      for (let pair = 0; pair < this.#pairs; pair++) {
        const sender = 2 * pair + (n & 1);
        const clientMsgId = `send-${this.#nextSend++}` as ClientMsgId;
        const chat = this.#chats[pair] as ChatId;
        const event = {
          kind: 'send',
          clientMsgId,
          chatId: chat,
          ciphertext: CIPHERTEXT,
          mediaIds: [],
        } as const;
        this.#device(this.#devices[sender] as Device, connId(sender + 1), event);
      }
    }
    this.#drain();
    this.#atRelay({ kind: 'hint' });
    this.#drain();
    const due = this.#receiptsDue;
    this.#receiptsDue = [];
    for (const { device, conn } of due) this.#device(device, conn, { kind: 'wake', timer: 'receipt' });
    this.#drain();
  }

  #count(machine: MachineName, began: number): void {
    const spent = (this.#clock?.() ?? began) - began;
    const sum = this.#steps.get(machine) ?? { steps: 0, ms: 0 };
    sum.steps++;
    sum.ms += spent;
    this.#steps.set(machine, sum);
  }

  #stepDevice(device: Device, conn: ConnId, event: DeviceEvent): void {
    const began = this.#clock?.();
    const effects = stepDevice(device, event, this.#now);
    if (began !== undefined) this.#count('device', began);
    for (const effect of effects) this.#deviceEffect(device, conn, effect);
  }

  #deviceEffect(device: Device, conn: ConnId, effect: DeviceEffect): void {
    if (effect.kind === 'frame') this.#atGateway({ kind: 'frame', conn, frame: effect.frame });
    else if (effect.kind === 'show') {
      if (effect.message.from !== device.userId) this.#shown++;
    } else if (effect.kind === 'wake' && effect.timer === 'receipt') this.#receiptsDue.push({ device, conn });
  }

  #stepGateway(event: GatewayEvent): void {
    const began = this.#clock?.();
    const effects = stepGateway(this.#gateway, event, this.#now);
    if (began !== undefined) this.#count('gateway', began);
    for (const effect of effects) this.#gatewayEffect(effect);
  }

  #gatewayEffect(effect: GatewayEffect): void {
    switch (effect.kind) {
      case 'frame': {
        const target = this.#users.get(effect.conn);
        if (target === undefined) return;
        this.#device(target.device, effect.conn, { kind: 'frame', conn: target.own, frame: effect.frame });
        return;
      }
      case 'request':
        this.#atService({ kind: 'request', request: effect.request });
        return;
      case 'push-result':
        this.#deliver({ kind: 'pushed', pushId: effect.pushId, outcome: effect.outcome });
        return;
      case 'open-device':
        this.#atGateway({
          kind: 'device-opened',
          conn: effect.conn,
          result: { outcome: 'ok', epoch: 1, confirmed: true },
        });
        return;
      case 'claim':
        this.#sessions.set(effect.entry.userId, [effect.entry]);
        this.#atGateway({
          kind: 'claimed',
          conn: effect.conn,
          result: { outcome: 'held', previous: undefined },
        });
        return;
      case 'list-chats':
        this.#atGateway({
          kind: 'chats',
          conn: effect.conn,
          result: { outcome: 'ok', chats: this.#listed(effect.conn), complete: true },
        });
        return;
      case 'fetch':
        throw new Error('the circuit has no store: every message must reach its device by a push');
      default:
        return;
    }
  }

  #listed(conn: ConnId) {
    const spans = [{ after: 0, upTo: OPEN_END }];
    return [
      { chatId: this.#chats[(conn - 1) >> 1] as ChatId, head: 0, cursor: 0, spans, receipts: [], size: 2 },
    ];
  }

  #stepService(event: MessageServiceEvent): void {
    const began = this.#clock?.();
    const effects = stepMessageService(this.#service, event, this.#now);
    if (began !== undefined) this.#count('message service', began);
    for (const effect of effects) this.#serviceEffect(effect);
  }

  #serviceEffect(effect: MessageServiceEffect): void {
    switch (effect.kind) {
      case 'append': {
        const { chatId: chat, messages, recipients } = effect.request;
        for (const message of messages)
          this.#outbox.push({ id: this.#nextRow++, kind: 'message', message, recipients });
        this.#atService({ kind: 'appended', call: effect.call, chatId: chat, result: { outcome: 'ok' } });
        return;
      }
      case 'reply':
        this.#atGateway({ kind: 'reply', reply: effect.reply });
        return;
      case 'save-receipts':
        this.#atService({ kind: 'receipts-saved', call: effect.call, result: { outcome: 'ok' } });
        return;
      case 'load-chat': {
        const id = effect.request.chatId;
        const first = 2 * this.#chats.indexOf(id);
        const spans = [{ after: 0, upTo: OPEN_END }];
        const members = [first, first + 1].map((i) => ({
          userId: userId(`u_${i + 1}`),
          role: 'member' as const,
          spans,
        }));
        const chat = { chatId: id, kind: 'direct' as const, head: 0, version: 0, members };
        this.#atService({
          kind: 'loaded',
          call: effect.call,
          chatId: id,
          result: { outcome: 'ok', chat, found: [] },
        });
        return;
      }
      default:
        return;
    }
  }

  #stepRelay(event: RelayEvent): void {
    const began = this.#clock?.();
    const effects = stepRelay(this.#relay, event, this.#now);
    if (began !== undefined) this.#count('relay', began);
    for (const effect of effects) this.#relayEffect(effect);
  }

  #relayEffect(effect: RelayEffect): void {
    switch (effect.kind) {
      case 'read-outbox': {
        const rows = this.#outbox.slice(0, effect.request.limit);
        this.#outbox = this.#outbox.slice(effect.request.limit);
        this.#atRelay({ kind: 'outbox', call: effect.call, result: { outcome: 'ok', rows } });
        return;
      }
      case 'publish':
        this.#records = [...effect.events];
        this.#consume();
        this.#atRelay({ kind: 'published', call: effect.call, outcome: 'ok' });
        return;
      case 'delete-outbox':
        this.#atRelay({ kind: 'deleted', call: effect.call, result: { outcome: 'ok' } });
        return;
      default:
        return;
    }
  }

  #consume(): void {
    const records = this.#records.map((event) => ({ offset: this.#nextOffset++, event }));
    this.#deliver({ kind: 'records', partition: 0, generation: 1, records });
  }

  #stepWorker(event: DeliveryWorkerEvent): void {
    const began = this.#clock?.();
    const effects = stepDeliveryWorker(this.#worker, event, this.#now);
    if (began !== undefined) this.#count('delivery worker', began);
    for (const effect of effects) this.#workerEffect(effect);
  }

  #workerEffect(effect: DeliveryWorkerEffect): void {
    if (effect.kind === 'push') this.#atGateway({ kind: 'push', push: effect.push });
    else if (effect.kind === 'lookup') {
      const users = effect.users.map((user) => ({ userId: user, sessions: this.#sessions.get(user) ?? [] }));
      this.#deliver({ kind: 'sessions', call: effect.call, users });
    }
  }
}
