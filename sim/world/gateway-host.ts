import { assertNever } from '../../core/contract/assert.ts';
import type { ConnId, NodeId, UserId } from '../../core/contract/ids.ts';
import { DEFAULT_LIMITS } from '../../core/contract/limits.ts';
import { HOUR, type Micros } from '../../core/contract/time.ts';
import { createGateway, stepGateway } from '../../core/session/gateway.ts';
import type { GatewayEffect } from '../../core/session/gateway-effect.ts';
import type { GatewayEvent, GatewayTimer } from '../../core/session/gateway-event.ts';
import type { PollSessionTimer } from '../../core/session/poll-session.ts';
import type { RenewOutcome } from '../../core/session/lease.ts';
import type { ServiceRequest } from '../../core/session/service-call.ts';
import { CLOSE_CODE, type ErrorFrame, type GoawayFrame, type ServerFrame } from '../../core/wire/frames.ts';
import type { Connection } from './connection.ts';
import { BROKEN } from './device-links.ts';
import { watchFencing, watchOlderPush } from './fencing-watch.ts';
import { Host } from './host.ts';
import { PollStep } from './poll-ends.ts';
import { Timer } from './timer.ts';
import type { World } from './world.ts';

/** Tokens outlive every run, unless a fault says otherwise. */
const TOKEN_LIFE = 1_000 * HOUR;

type Gateway = ReturnType<typeof createGateway>;
type SessionTimer = 'session' | 'retry' | 'receipts';

/** A gateway: its machine, and the ends of the connections that it holds. All of it is volatile. */
export class GatewayHost extends Host {
  /** By their numbers, which are dense: a look-up for every frame had better cost nothing. */
  readonly #conns: (Connection | undefined)[] = [];
  /** Users whose presence hints it wants. */
  readonly watched = new Set<UserId>();
  draining = false;
  #machine: Gateway | undefined;
  readonly #timers = new Map<GatewayTimer, Timer>();
  /** Poll connections on which something was said in this turn. */
  #spoken: Connection[] = [];
  /** With the usual rates no run comes near them, and nothing needs to be told of what is let through. */
  readonly #ratesAreTight: boolean;

  constructor(world: World, index: number, name: string) {
    super(world, index, name);
    const { deviceSendBurst, userSendBurst } = world.limits;
    this.#ratesAreTight =
      deviceSendBurst < DEFAULT_LIMITS.deviceSendBurst || userSendBurst < DEFAULT_LIMITS.userSendBurst;
  }

  get machine(): Gateway | undefined {
    return this.#machine;
  }

  protected boot(): void {
    const { limits, seed, regions } = this.world;
    const region = regions.nameOf(this.regionIndex);
    this.draining = false;
    this.#machine = createGateway({ nodeId: this.nodeId, region, limits, seed });
  }

  protected lose(silent: boolean): void {
    this.#machine = undefined;
    this.#spoken = [];
    const lost = this.#conns.slice();
    // The numbers go on across restarts, so that no answer reaches a connection it was not meant for.
    this.#conns.fill(undefined);
    for (const conn of lost) {
      if (conn === undefined) continue;
      conn.gatewayOpen = false;
      if (conn.poll !== undefined) this.world.polls.servers.died(conn, silent);
      else if (!silent) this.#breakOff(conn, BROKEN);
    }
    for (const userId of this.watched) this.world.calls.unwatch(userId, this);
    this.watched.clear();
  }

  /** @returns a connection that it holds, by its own number. */
  connOf(id: ConnId): Connection | undefined {
    return this.#conns[id - 1];
  }

  /** The load balancer's drain: the machine sends everybody elsewhere, and the process ends when all are gone. */
  drain(): void {
    if (!this.up || this.draining) return;
    this.draining = true;
    this.receive({ kind: 'drain' });
  }

  /** A connection attempt arrives. */
  accept(conn: Connection): void {
    if (!this.up) {
      if (!this.dark) this.#breakOff(conn, BROKEN);
      return;
    }
    if (conn.token.expiresAt <= this.world.engine.now) {
      this.world.links.down(conn, { kind: 'refused', conn: conn.deviceConn, status: 401 });
      return;
    }
    this.hold(conn);
    this.receive(this.#opening(conn));
  }

  /** A connection is its own from here on. */
  hold(conn: Connection): void {
    conn.id = this.#conns.push(conn) as ConnId;
    conn.gatewayIncarnation = this.incarnation;
    conn.gatewayOpen = true;
  }

  #opening(conn: Connection): GatewayEvent {
    const { userId, deviceId } = conn.device;
    const left = conn.token.expiresAt - this.world.engine.now;
    const expiresAt = (this.now() + Math.min(left, TOKEN_LIFE)) as Micros;
    conn.expiresAt = expiresAt;
    // Two places in the world, so that strangers share one.
    const address = `address-${conn.device.index % 2}`;
    return { kind: 'open', conn: conn.id, userId, deviceId, expiresAt, address };
  }

  /** The machine is told of a connection by long polling, in the midst of a turn. */
  open(conn: Connection): void {
    this.#step(this.#opening(conn));
  }

  /** What a poll session has for the machine, in the midst of a turn. */
  deliver(event: GatewayEvent): void {
    this.#step(event);
  }

  /** A request of a poll session arrives. */
  arrivedPoll(step: PollStep): void {
    if (this.up) this.receive(step);
    else if (!this.dark) this.world.polls.servers.refuseConnection(step);
  }

  /** Something was said on a poll connection. */
  spoke(conn: Connection): void {
    if (conn.poll!.gatewaySpoke) return;
    conn.poll!.gatewaySpoke = true;
    this.#spoken.push(conn);
  }

  /** Arms a timer of a poll session. */
  wakePoll(conn: Connection, timer: PollSessionTimer, after: number): void {
    const { sessionTimers } = conn.poll!;
    let own = sessionTimers.get(timer);
    if (own === undefined) {
      own = new Timer(this, new PollStep(conn, { kind: 'session-wake', timer }));
      sessionTimers.set(timer, own);
    }
    this.arm(own, after);
  }

  /** A frame, or the close (undefined), arrives from a device. */
  arrived(conn: Connection, event: GatewayEvent | undefined): void {
    if (!conn.gatewayOpen) {
      // The kernel knows no such connection: it says so, if it can.
      if (event !== undefined && conn.deviceOpen && !this.dark) this.#breakOff(conn, BROKEN);
      return;
    }
    this.receive(event ?? { kind: 'closed', conn: conn.id });
  }

  protected handle(payload: object): void {
    if (payload instanceof PollStep) this.world.polls.servers.atGateway(this, payload);
    else this.#step(payload as GatewayEvent);
    if (!this.paused) this.turnEnds();
  }

  /** The frames of a page, or of a fan-out, go into one response. */
  protected override turnEnds(): void {
    const { incarnation } = this;
    while (this.#spoken.length > 0 && this.incarnation === incarnation) {
      const conn = this.#spoken.pop()!;
      conn.poll!.gatewaySpoke = false;
      this.world.polls.servers.flushGateway(conn);
    }
  }

  #step(event: GatewayEvent): void {
    switch (event.kind) {
      case 'open': {
        const conn = this.connOf(event.conn);
        if (conn === undefined) return;
        if (conn.poll === undefined)
          this.world.links.down(conn, { kind: 'connected', conn: conn.deviceConn });
        break;
      }
      case 'frame': {
        const conn = this.connOf(event.conn);
        // It waited in the inbox while the gateway closed the connection.
        if (conn === undefined) return;
        if (event.frame.frame === 'RESUME') {
          conn.resumed = true;
          this.world.observers.resumed(this.nodeId, conn, event.frame.cursors);
        }
        break;
      }
      case 'closed': {
        const conn = this.connOf(event.conn);
        if (conn === undefined) return;
        this.#forget(conn);
        break;
      }
      case 'device-opened':
        this.#noteEpoch(event);
        break;
      case 'renewed':
        this.#count(event.outcomes);
        watchFencing(this, this.#machine!, event);
        break;
      case 'claimed':
      case 'evict':
        watchFencing(this, this.#machine!, event);
        break;
      case 'push':
        this.#push(event);
        return;
      default:
    }
    this.stepped(stepGateway(this.#machine!, event, this.now()), this.#applyEffect);
  }

  #push(event: Extract<GatewayEvent, { kind: 'push' }>): void {
    const machine = this.#machine!;
    const { push } = event;
    const effects = stepGateway(machine, event, this.now());
    const first = effects[0];
    // Nearly always a session takes it that is none older than the one the push names.
    if (first?.kind !== 'frame' || (this.connOf(first.conn)?.epoch ?? 0) < push.epoch)
      watchOlderPush(this, machine, push, effects);
    this.stepped(effects, this.#applyEffect);
  }

  #count(outcomes: readonly (RenewOutcome | undefined)[] | undefined): void {
    for (const outcome of outcomes ?? []) {
      if (outcome === 'recreated') this.world.probes.hit('session.renewal.recreated');
    }
  }

  #noteEpoch(event: Extract<GatewayEvent, { kind: 'device-opened' }>): void {
    const conn = this.connOf(event.conn);
    if (conn !== undefined && event.result.outcome === 'ok') conn.epoch = event.result.epoch;
  }

  readonly #applyEffect = (effect: GatewayEffect): void => this.#apply(effect);

  #apply(effect: GatewayEffect): void {
    const { world } = this;
    const { hash } = world.engine;
    switch (effect.kind) {
      case 'frame':
        this.#send(effect.conn, effect.frame);
        return;
      case 'wake':
        hash.mix(0x202 ^ (effect.after << 8));
        this.#wake(effect.timer, effect.conn, effect.after);
        return;
      case 'request':
        hash.mix(0x203);
        if (this.#ratesAreTight && effect.request.kind === 'submit')
          world.observers.admitted(this.nodeId, effect.request);
        this.#request(effect.request);
        return;
      case 'push-result':
        hash.mix(0x204 ^ (effect.pushId << 8));
        this.#toNode(effect.worker, { kind: 'pushed', pushId: effect.pushId, outcome: effect.outcome });
        return;
      case 'confirm-device':
        hash.mix(0x210);
        world.calls.store(this, effect);
        return;
      case 'open-device':
      case 'list-chats':
      case 'fetch':
        hash.mix(0x205 ^ (effect.conn << 8));
        world.calls.store(this, effect);
        return;
      case 'read-heads':
      case 'count-receipts':
        hash.mix(0x211);
        world.calls.store(this, effect);
        return;
      case 'claim':
      case 'renew':
      case 'release':
      case 'read-presence':
        hash.mix(0x206);
        world.calls.registry(this, effect);
        return;
      case 'watch':
        hash.mix(0x207);
        this.watched.add(effect.userId);
        world.calls.watch(effect.userId, this);
        return;
      case 'unwatch':
        hash.mix(0x208);
        this.watched.delete(effect.userId);
        world.calls.unwatch(effect.userId, this);
        return;
      case 'evict':
        hash.mix(0x209 ^ (effect.epoch << 8));
        world.probes.hit('session.evict');
        this.#evict(effect);
        return;
      case 'disconnect':
        hash.mix(0x20a ^ (effect.code << 8));
        this.#disconnect(effect.conn, effect.code);
        return;
      case 'drained':
        hash.mix(0x20b);
        world.probes.hit('gateway.drained');
        this.stop(false);
        return;
      default:
        assertNever(effect);
    }
  }

  #send(connId: ConnId, frame: ServerFrame): void {
    const { world } = this;
    const conn = this.connOf(connId);
    if (conn === undefined) return;
    if (frame.frame === 'MESSAGE') {
      world.engine.hash.mix(0x201 ^ (frame.seq << 8));
      world.observers.pushed(this.nodeId, conn, frame);
    } else {
      world.engine.hash.mix(0x200);
      if (frame.frame === 'ERROR') this.#refused(conn, frame);
      else if (frame.frame === 'WELCOME') world.observers.welcomed(this.nodeId, conn);
      else if (frame.frame === 'GOAWAY') this.#noteGoaway(conn, frame);
      else if (frame.frame === 'SYNCED') conn.synced = true;
      else if (frame.frame === 'ACK' && frame.duplicate) world.probes.hit('send.duplicate-answered');
    }
    if (conn.token.expiresAt < Number.POSITIVE_INFINITY) this.#noteExpired(conn, frame);
    world.links.down(conn, { kind: 'frame', conn: conn.deviceConn, frame });
  }

  #noteGoaway(conn: Connection, { reason }: GoawayFrame): void {
    const { probes, observers } = this.world;
    probes.hit(`session.goaway.${reason}`);
    if (reason === 'drain' && !this.draining) probes.hit('session.sent-away');
    if (reason === 'replaced') observers.replaced(conn);
    if (reason === 'auth_expired' && conn.resumed && !conn.synced) probes.hit('token.expired.mid-replay');
  }

  /** A session goes on although its token has run out, by this node's own clock. */
  #noteExpired(conn: Connection, frame: ServerFrame): void {
    const since = this.now() - conn.expiresAt;
    if (since > 0 && frame.frame !== 'GOAWAY' && frame.frame !== 'ERROR')
      this.world.observers.outlived(this.nodeId, conn, since);
  }

  #refused(conn: Connection, frame: ErrorFrame): void {
    if (frame.code === 'rate_limited' && frame.clientMsgId !== undefined)
      this.world.observers.refused(this.nodeId, conn, frame.clientMsgId);
  }

  #wake(timer: GatewayTimer, connId: ConnId | undefined, after: number): void {
    if (connId === undefined) {
      let own = this.#timers.get(timer);
      if (own === undefined) {
        own = new Timer(this, { kind: 'wake', timer, conn: undefined });
        this.#timers.set(timer, own);
      }
      this.arm(own, after);
      return;
    }
    const conn = this.connOf(connId);
    if (conn === undefined) return;
    const name = timer as SessionTimer;
    conn.timers[name] ??= new Timer(this, { kind: 'wake', timer, conn: connId });
    this.arm(conn.timers[name], after);
  }

  /** Requests go to the chat's service, past one that lately did not answer; a lost one is the device's to repeat. */
  #request(request: ServiceRequest): void {
    this.world.router.send(this, request);
  }

  #evict(effect: Extract<GatewayEffect, { kind: 'evict' }>): void {
    const { gatewayId, userId, deviceId, epoch } = effect;
    this.#toNode(gatewayId, { kind: 'evict', userId, deviceId, epoch });
  }

  #toNode(name: NodeId, event: object): void {
    const host = this.world.hostNamed(name);
    if (host !== undefined) this.world.sendInside(this, host, event);
  }

  #disconnect(connId: ConnId, code: number): void {
    const conn = this.connOf(connId);
    if (conn === undefined) return;
    if (conn.poll !== undefined && code === CLOSE_CODE.silent) this.world.probes.hit('poll.session.expired');
    this.#forget(conn);
    this.#breakOff(conn, code);
  }

  #forget(conn: Connection): void {
    conn.gatewayOpen = false;
    this.#conns[conn.id - 1] = undefined;
  }

  #breakOff(conn: Connection, code: number): void {
    this.world.links.down(conn, { kind: 'closed', conn: conn.deviceConn, code });
  }
}
