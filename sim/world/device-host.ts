import { assertNever } from '../../core/contract/assert.ts';
import type { ChatId, ClientMsgId, ConnId, DeviceId, UserId } from '../../core/contract/ids.ts';
import { hashText, keyedHash } from '../../core/contract/random.ts';
import { createDevice, stepDevice } from '../../core/device/device.ts';
import {
  applyToDisk,
  type DiskImage,
  diskOf,
  emptyDisk,
  newDiskImage,
} from '../../core/device/device-disk.ts';
import type { DeviceEffect, DeviceStatus } from '../../core/device/device-effect.ts';
import type { DeviceEvent, DeviceTimer } from '../../core/device/device-event.ts';
import type { Device } from '../../core/device/device-state.ts';
import type { Transport } from '../../core/device/transport.ts';
import type { ClientFrame, ErrorFrame } from '../../core/wire/frames.ts';
import { Connection } from './connection.ts';
import { BROKEN } from './device-links.ts';
import { DeviceTokens } from './device-tokens.ts';
import { FaultDial } from './fault-dial.ts';
import type { GatewayHost } from './gateway-host.ts';
import { Host } from './host.ts';
import { PollEnds, PollStep } from './poll-ends.ts';
import { Timer } from './timer.ts';
import { connectWithNextToken, startWithNextToken } from './token-errands.ts';
import type { World } from './world.ts';
import type { DeviceTransport } from '../scenario.ts';

const START = { kind: 'start' } as const;
const CONNECTION_STREAM = 0x636f_6e6e;
/** What a proxy says to an upgrade that it does not know. */
const UPGRADE_FORBIDDEN = 403;

interface DeviceNames {
  readonly userId: UserId;
  readonly deviceId: DeviceId;
}

/** A user's device: its machine, its disk, and its connections. The disk outlives crashes; the rest does not. */
export class DeviceHost extends Host {
  readonly userId: UserId;
  readonly deviceId: DeviceId;
  readonly disk: DiskImage;
  /** The user wants the app to run. */
  switchedOn = true;
  status: DeviceStatus = 'stopped';
  readonly tokens = new DeviceTokens();
  /** What its network does with upgrades: 0 lets them pass, 1 refuses them, 2 never answers. */
  readonly upgradesBlocked = new FaultDial();
  /** Per mille of its poll requests that a proxy does not carry as it should. */
  readonly pollLoss = new FaultDial();
  readonly #transport: DeviceTransport;
  /** What carried the last session that was live, while this run of the app lasts. */
  #lastTransport: Transport | undefined;
  /** Poll connections on which the app has said something in this turn. */
  #spoken: Connection[] = [];
  #machine: Device | undefined;
  /** Connections whose device end is open. A device has one at a time, but for the moments of a change. */
  readonly #conns = new Map<ConnId, Connection>();
  #newest: Connection | undefined;
  /** What the app was told has failed: observed across its restarts. */
  readonly #failed = new Set<ClientMsgId>();
  readonly #timers: Record<DeviceTimer, Timer>;
  /** Chats that the user has opened, whether or not the app has come to it. */
  readonly #screen = new Set<ChatId>();
  /** A gateway has asked the running app to wait with its sends. */
  #heldBack = false;
  readonly #stream: number;
  #attempts = 0;

  constructor(world: World, index: number, name: string, names: DeviceNames, transport: DeviceTransport) {
    super(world, index, name);
    const { userId, deviceId } = names;
    this.userId = userId;
    this.deviceId = deviceId;
    this.disk = newDiskImage(userId, emptyDisk());
    this.#transport = transport;
    if (transport === 'proxied') this.upgradesBlocked.turnUp(1);
    this.#stream = keyedHash(world.seed, CONNECTION_STREAM, hashText(deviceId));
    this.#timers = {
      connect: this.#timer('connect'),
      reconnect: this.#timer('reconnect'),
      heartbeat: this.#timer('heartbeat'),
      send: this.#timer('send'),
      gap: this.#timer('gap'),
      receipt: this.#timer('receipt'),
      refused: this.#timer('refused'),
    };
  }

  get machine(): Device | undefined {
    return this.#machine;
  }

  /** Whether it can get through to a gateway that is there for it. */
  get findsAWay(): boolean {
    return this.#transport !== 'websocket' || this.upgradesBlocked.value === 0;
  }

  /** Before each poll that it tries come WebSockets of which each must time out. */
  get triesSeldom(): boolean {
    return this.#transport !== 'poll' && this.upgradesBlocked.value > 1;
  }

  override start(): void {
    if (this.switchedOn) super.start();
  }

  /** The user opens or closes a chat. */
  look(chatId: ChatId, on: boolean): boolean {
    this.world.observers.watching(this.deviceId, chatId, on);
    if (on) this.#screen.add(chatId);
    else this.#screen.delete(chatId);
    return this.act({ kind: on ? 'open' : 'close', chatId });
  }

  /** Something the user does. Nothing happens while the device is off. @returns whether the app runs. */
  act(event: DeviceEvent): boolean {
    if (!this.up) return false;
    this.receive(event);
    return true;
  }

  protected boot(): void {
    const { world } = this;
    this.#machine = createDevice({
      userId: this.userId,
      deviceId: this.deviceId,
      limits: world.limits,
      seed: world.seed,
      disk: diskOf(this.disk),
      transport: this.#transport === 'proxied' ? 'auto' : this.#transport,
    });
    for (const [chatId, seq] of this.disk.cursors.values())
      world.observers.startCursor(this.deviceId, chatId, seq);
    this.handle(START);
  }

  protected lose(silent: boolean): void {
    // What was on screen is gone with the app.
    for (const chatId of this.#screen) this.world.observers.watching(this.deviceId, chatId, false);
    this.#screen.clear();
    this.#machine = undefined;
    this.#heldBack = false;
    this.#lastTransport = undefined;
    this.#spoken = [];
    this.#setStatus('stopped');
    for (const conn of this.#conns.values()) {
      conn.deviceOpen = false;
      if (silent) continue;
      if (conn.poll === undefined) this.world.links.up(conn, undefined);
      else this.world.polls.clients.abandon(conn);
    }
    this.#conns.clear();
  }

  protected handle(event: object): void {
    if (event instanceof PollStep) this.world.polls.clients.atDevice(event);
    else this.#step(event as DeviceEvent);
    if (!this.paused) this.turnEnds();
  }

  /** What a device says in one breath goes in one request. */
  protected override turnEnds(): void {
    const { incarnation } = this;
    if (this.#spoken.length === 0) return;
    const spoken = this.#spoken;
    this.#spoken = [];
    for (const conn of spoken) {
      conn.poll!.deviceSpoke = false;
      if (this.incarnation === incarnation) this.world.polls.clients.flushDevice(conn);
    }
  }

  #step(event: DeviceEvent): void {
    const effects = stepDevice(this.#machine!, event, this.now());
    this.stepped(effects, this.#applyEffect);
  }

  /** The app said something on a poll connection. */
  spoke(conn: Connection): void {
    if (conn.poll!.deviceSpoke) return;
    conn.poll!.deviceSpoke = true;
    this.#spoken.push(conn);
  }

  /** Arms a timer of one of its poll connections. */
  wakePoll(
    conn: Connection,
    step: Extract<PollStep['step'], { kind: 'client-wake' | 'deadline' }>,
    after: number,
  ): void {
    const { deadlines, clientTimers } = conn.poll!;
    const isDeadline = step.kind === 'deadline';
    const timers = isDeadline ? deadlines : clientTimers;
    const name = isDeadline ? step.place : step.timer;
    let timer = timers.get(name);
    if (timer === undefined) {
      timer = new Timer(this, new PollStep(conn, step));
      timers.set(name, timer);
    }
    this.arm(timer, after);
  }

  /** What a poll connection brings the app, in the midst of a turn. */
  deliver(conn: Connection, event: DeviceEvent): void {
    if (!conn.deviceOpen) return;
    this.#note(conn, event);
    this.#step(event);
  }

  /** A frame, or the end of the connection, arrives. */
  arrived(conn: Connection, event: DeviceEvent): void {
    if (!conn.deviceOpen) {
      // The kernel knows no such connection: it says so, if it can.
      if (event.kind !== 'closed' && conn.gatewayOpen && this.up) this.world.links.up(conn, undefined);
      return;
    }
    this.#note(conn, event);
    this.receive(event);
  }

  #note(conn: Connection, event: DeviceEvent): void {
    if (event.kind === 'closed' || event.kind === 'refused') this.#forget(conn);
    else if (event.kind === 'frame') {
      if (event.frame.frame === 'ERROR') this.#noteHoldBack(event.frame);
      else if (event.frame.frame === 'WELCOME') this.#noteTransport(conn);
    }
  }

  #noteTransport({ poll }: Connection): void {
    const transport = poll === undefined ? 'websocket' : 'poll';
    if (this.#transport === 'auto' && this.#lastTransport !== transport) {
      if (transport === 'poll') this.world.probes.hit('device.fell-back-to-polling');
      else if (this.#lastTransport === 'poll') this.world.probes.hit('device.returned-to-websocket');
    }
    this.#lastTransport = transport;
  }

  #noteHoldBack(frame: ErrorFrame): void {
    const { code, clientMsgId, retryAfterMs = 0 } = frame;
    this.world.probes.hit(`device.refused.${code}`);
    if (code !== 'rate_limited' || clientMsgId === undefined) return;
    this.#heldBack = true;
    this.world.observers.heldBack(this.deviceId, retryAfterMs * 1_000);
  }

  #forget(conn: Connection): void {
    conn.deviceOpen = false;
    this.#conns.delete(conn.deviceConn);
  }

  /** Gateways to which it has a connection. */
  gateways(): GatewayHost[] {
    return [...this.#conns.values()].map((conn) => conn.gateway);
  }

  /** Its network breaks every connection, and both ends learn of it. */
  breakConnections(): void {
    for (const conn of this.#conns.values()) {
      if (conn.poll !== undefined) {
        this.world.polls.clients.breakRequests(conn);
        continue;
      }
      this.world.links.up(conn, undefined);
      this.world.tell(this, { kind: 'closed', conn: conn.deviceConn, code: BROKEN }, 0);
      this.#forget(conn);
    }
  }

  #timer(timer: DeviceTimer): Timer {
    return new Timer(this, { kind: 'wake', timer });
  }

  readonly #applyEffect = (effect: DeviceEffect): void => this.#apply(effect);

  #apply(effect: DeviceEffect): void {
    const { observers } = this.world;
    const { hash } = this.world.engine;
    applyToDisk(this.disk, effect);
    switch (effect.kind) {
      case 'frame':
        hash.mix(0x101);
        this.#send(effect.conn, effect.frame);
        return;
      case 'wake':
        hash.mix(0x102 ^ (effect.after << 8));
        this.arm(this.#timers[effect.timer], effect.after);
        return;
      case 'show':
        hash.mix(0x103 ^ (effect.message.seq << 8));
        observers.shown(this, effect.message);
        return;
      case 'sent':
        hash.mix(0x104 ^ (effect.seq << 8));
        observers.acked(this.deviceId, effect);
        return;
      case 'outbox-put':
        hash.mix(0x105);
        // From here on the send is the device's: what a crash takes before this was never promised to anybody.
        if (effect.item.failed === undefined) observers.send(this, effect.item);
        return;
      case 'outbox-drop':
        hash.mix(0x106);
        return;
      case 'receipt':
        hash.mix(0x107 ^ (effect.receipt.seq << 8));
        observers.receiptShown(this.deviceId, effect.receipt);
        return;
      case 'receipt-count':
        hash.mix(0x10f ^ (effect.count.seq << 8));
        observers.countShown(this.deviceId, effect.count);
        return;
      case 'cursor':
        hash.mix(0x108 ^ (effect.seq << 8));
        observers.startCursor(this.deviceId, effect.chatId, effect.seq);
        return;
      case 'connect':
        hash.mix(0x109);
        this.#connect(effect.conn, effect.transport);
        return;
      case 'disconnect':
        hash.mix(0x10a ^ (effect.code << 8));
        this.#disconnect(effect.conn);
        return;
      case 'presence':
        hash.mix(0x10b);
        observers.presenceShown(this.deviceId, effect.presence.userId, effect.presence.status);
        return;
      case 'status':
        hash.mix(0x10c);
        this.#setStatus(effect.status);
        return;
      case 'send-failed':
        hash.mix(0x10d);
        this.#failed.add(effect.clientMsgId);
        observers.sendFailed(this.deviceId, effect);
        return;
      case 'typing':
      case 'synced':
        hash.mix(0x10e);
        return;
      default:
        assertNever(effect);
    }
  }

  /** Nearly always the newest one. */
  #connOf(id: ConnId): Connection | undefined {
    const newest = this.#newest;
    return newest?.deviceConn === id && newest.deviceOpen ? newest : this.#conns.get(id);
  }

  #send(connId: ConnId, frame: ClientFrame): void {
    const conn = this.#connOf(connId);
    if (conn === undefined) return;
    if (frame.frame === 'SEND' && this.#heldBack) this.world.observers.sentOn(this.deviceId);
    if (frame.frame === 'RECEIPT') this.world.observers.receiptSent(this, frame);
    else if (frame.frame === 'SEND' && this.#failed.has(frame.clientMsgId)) {
      this.world.observers.sentAgain(this.deviceId, frame);
    } else if (frame.frame === 'SYNC') {
      this.world.probes.hit('device.sync');
      this.world.observers.asked(this.deviceId, conn.id, frame);
    }
    this.world.links.up(conn, { kind: 'frame', conn: conn.id, frame });
  }

  #connect(connId: ConnId, transport: Transport): void {
    const { world } = this;
    const key = keyedHash(this.#stream, 0, this.#attempts++);
    if (transport === 'websocket' && this.upgradesBlocked.value > 0) {
      this.#refuseUpgrade(connId, key);
      return;
    }
    const gateway = world.balancer.pick(key);
    if (gateway === undefined) {
      world.tell(
        this,
        { kind: 'refused', conn: connId, status: 503 },
        world.network.deviceDelay(0, this.index, key, 0),
      );
      return;
    }
    const conn = new Connection(this, gateway, connId, key);
    if (transport === 'poll') conn.poll = new PollEnds(world.limits);
    this.#conns.set(connId, conn);
    this.#newest = conn;
    const token = this.tokens.atHand(world.engine.now);
    if (token === undefined) connectWithNextToken(conn);
    else {
      conn.token = token;
      world.links.connect(conn);
    }
  }

  #refuseUpgrade(connId: ConnId, key: number): void {
    const { world } = this;
    // Never answered: the app gives it up by itself.
    if (this.upgradesBlocked.value > 1) return;
    const delay = world.network.deviceDelay(this.index, this.index, key, 0);
    world.tell(this, { kind: 'refused', conn: connId, status: UPGRADE_FORBIDDEN }, delay);
  }

  #disconnect(connId: ConnId): void {
    const conn = this.#connOf(connId);
    if (conn === undefined) return;
    this.#forget(conn);
    this.world.links.up(conn, undefined);
  }

  #setStatus(status: DeviceStatus): void {
    if (this.status === status) return;
    const was = this.status === 'live';
    this.status = status;
    if (status === 'unauthenticated') startWithNextToken(this);
    if (was !== (status === 'live')) this.world.observers.deviceLive(this, status === 'live');
  }
}
