import { assertNever } from '../../core/contract/assert.ts';
import type { DeviceEvent } from '../../core/device/device-event.ts';
import {
  createPollSession,
  type PollRefusal,
  type PollSessionEffect,
  type PollSessionEvent,
  stepPollSession,
} from '../../core/session/poll-session.ts';
import { CLOSE_CODE } from '../../core/wire/frames.ts';
import type { Connection } from './connection.ts';
import type { GatewayHost } from './gateway-host.ts';
import { endsOf, type PollRequest, type PollStep, type SaidFrame, sizeOfFrame } from './poll-ends.ts';
import type { PollTravel } from './poll-travel.ts';
import { overTheWireUp } from './wire-format.ts';
import type { World } from './world.ts';

type Event = PollSessionEvent<SaidFrame>;
type Effect = PollSessionEffect<SaidFrame>;

/** So many times the usual latency: mostly behind what the device asked after it. */
const LATE = 50;

/** The gateways' ends of connections by long polling: carries out what the session of each asks for. */
export class PollServers {
  readonly #world: World;
  readonly #travel: PollTravel;
  readonly #wire: boolean;

  constructor(world: World, travel: PollTravel, wire: boolean) {
    this.#world = world;
    this.#travel = travel;
    this.#wire = wire;
  }

  /** Steps of the gateway's end come out of its inbox. */
  atGateway(gateway: GatewayHost, { conn, step }: PollStep): void {
    if (step.kind === 'session-wake') {
      this.#session(conn, { kind: 'wake', timer: step.timer });
    } else if (step.kind === 'request') this.#serve(gateway, conn, step.request);
  }

  #serve(gateway: GatewayHost, conn: Connection, { request, ask, fate }: PollRequest): void {
    const ends = endsOf(conn);
    const isHere = ends.session !== undefined && conn.gatewayIncarnation === gateway.incarnation;
    if (ask.kind === 'gone' || ask.kind === 'leave') {
      if (isHere) this.#session(conn, ask.kind === 'gone' ? { kind: 'gone', request } : ask);
      return;
    }
    if (fate !== 'plain') ends.fates.set(request, fate);
    if (conn.token.expiresAt <= this.#world.engine.now) {
      this.#world.probes.hit('poll.token.refused');
      this.#fail(conn, request, 401, 0);
      return;
    }
    if (ask.kind === 'connect') {
      gateway.hold(conn);
      ends.session = createPollSession<SaidFrame>(conn.id, this.#world.limits, undefined);
      this.#session(conn, { kind: 'connect', request });
      return;
    }
    if (!isHere) {
      this.#fail(conn, request, 404, 0);
      return;
    }
    const { ack } = ask;
    if (ask.kind === 'poll') {
      this.#session(conn, { kind: 'poll', request, ack, wait: ask.wait });
      return;
    }
    ends.posts.set(request, ask.frames);
    this.#session(conn, { kind: 'post', request, ack });
  }

  /** A frame, or the close, from the gateway. */
  down(conn: Connection, event: DeviceEvent): void {
    const ends = endsOf(conn);
    if (event.kind === 'closed') {
      this.#session(conn, { kind: 'end', code: event.code, reason: '' });
    } else if (event.kind === 'frame') {
      const frame = { place: ++ends.said, frame: event.frame };
      this.#session(conn, { kind: 'say', frame, size: sizeOfFrame(event.frame), what: event.frame });
      conn.gateway.spoke(conn);
    }
  }

  flushGateway(conn: Connection): void {
    this.#session(conn, { kind: 'flush' });
  }

  /** A request reaches a machine on which no gateway runs. */
  refuseConnection({ conn, step }: PollStep): void {
    if (step.kind !== 'request' || step.request.ask.kind === 'gone' || step.request.ask.kind === 'leave')
      return;
    this.#fail(conn, step.request.request, undefined, 0);
  }

  /** The gateway's process is gone, and the requests that waited there break off. */
  died(conn: Connection, silent: boolean): void {
    const ends = endsOf(conn);
    const { session } = ends;
    ends.session = undefined;
    if (silent || session === undefined) return;
    for (const request of [session.opening, session.waiting]) {
      if (request !== undefined) this.#fail(conn, request, undefined, 0);
    }
  }

  #session(conn: Connection, event: Event): void {
    const { session } = endsOf(conn);
    if (session === undefined) return;
    this.#carryOutAll(conn, stepPollSession(session, event), 0);
  }

  #carryOutAll(conn: Connection, effects: readonly Effect[], from: number): void {
    const { gateway } = conn;
    const { incarnation } = gateway;
    for (let i = from; i < effects.length; i++) {
      if (gateway.incarnation !== incarnation) return;
      if (gateway.paused) {
        gateway.afterPause(() => this.#carryOutAll(conn, effects, i));
        return;
      }
      this.#carryOutAtGateway(conn, effects[i]!);
    }
  }

  #carryOutAtGateway(conn: Connection, effect: Effect): void {
    const { gateway } = conn;
    switch (effect.kind) {
      case 'respond':
        this.#respond(conn, effect);
        return;
      case 'refuse':
        this.#fail(conn, effect.request, statusOf(effect.why), retryAfterOf(effect.why));
        return;
      case 'hear':
        this.#hear(conn, effect.request, 0);
        return;
      case 'open':
        gateway.open(conn);
        return;
      case 'tell':
        if (effect.event.kind === 'buffered') this.#world.probes.hit('poll.buffer.reported');
        gateway.deliver(effect.event);
        return;
      case 'wake':
        gateway.wakePoll(conn, effect.timer, effect.after);
        return;
      case 'forget':
        endsOf(conn).session = undefined;
        return;
      default:
        assertNever(effect);
    }
  }

  #hear(conn: Connection, request: number, from: number): void {
    const { gateway, id } = conn;
    const { incarnation } = gateway;
    const { posts } = endsOf(conn);
    const frames = posts.get(request) ?? [];
    for (let i = from; i < frames.length; i++) {
      if (gateway.paused) {
        gateway.afterPause(() => this.#hear(conn, request, i));
        return;
      }
      const event = { kind: 'frame', conn: id, frame: frames[i]! } as const;
      gateway.deliver(this.#wire ? overTheWireUp(event, this.#world.limits) : event);
      if (gateway.incarnation !== incarnation) return;
    }
    posts.delete(request);
    this.#session(conn, { kind: 'heard', request });
  }

  #respond(conn: Connection, { request, page, closed }: Extract<Effect, { kind: 'respond' }>): void {
    const ends = endsOf(conn);
    const fate = ends.fates.get(request) ?? 'plain';
    ends.fates.delete(request);
    const isLost = fate === 'answer-lost' || fate === 'answer-hangs';
    if (isLost && page.frames.length > 0) {
      ends.lostFrames = true;
      this.#world.probes.hit('poll.frames.lost');
    }
    if (fate === 'answer-lost') {
      this.#travel.down(conn, { request, kind: 'failed', status: 504, retryAfter: 0 }, 1);
    } else if (fate !== 'answer-hangs') {
      const { frames, last } = page;
      this.#travel.down(
        conn,
        { request, kind: 'answered', frames, last, closed },
        fate === 'late' ? LATE : 1,
      );
    }
    // A proxy takes an answer to its end, and may lose it after that.
    this.#session(conn, { kind: 'carried', request, whole: true });
  }

  #fail(conn: Connection, request: number, status: number | undefined, retryAfter: number): void {
    endsOf(conn).fates.delete(request);
    this.#travel.down(conn, { request, kind: 'failed', status, retryAfter }, 1);
  }
}

/** As runtime/gateway/poll-routes.ts answers. */
function statusOf(why: PollRefusal): number {
  switch (why.kind) {
    case 'gone':
      return 404;
    case 'bad-ack':
      return 400;
    case 'congested':
      return 503;
    case 'not-opened':
      if (why.over.code === CLOSE_CODE.authExpired) return 401;
      return why.error?.code === 'rate_limited' ? 429 : 503;
    default:
      return assertNever(why);
  }
}

function retryAfterOf(why: PollRefusal): number {
  return why.kind === 'congested' ? why.retryAfterMs * 1_000 : 0;
}
