import { assertNever } from '../../core/contract/assert.ts';
import { keyedHash } from '../../core/contract/random.ts';
import type { DeviceEvent } from '../../core/device/device-event.ts';
import { type PollClientEvent, type PollTimer, stepPollClient } from '../../core/device/poll-client.ts';
import type { GatewayEvent } from '../../core/session/gateway-event.ts';
import {
  createPollSession,
  type PollRefusal,
  type PollSessionEffect,
  type PollSessionEvent,
  stepPollSession,
} from '../../core/session/poll-session.ts';
import { type ClientFrame, CLOSE_CODE } from '../../core/wire/frames.ts';
import type { Connection } from './connection.ts';
import { FRAME_OVERHEAD } from './device-links.ts';
import type { GatewayHost } from './gateway-host.ts';
import {
  type PollEnds,
  type PollFate,
  type PollReply,
  type PollRequest,
  PollStep,
  type SaidFrame,
} from './poll-ends.ts';
import { PollTravel } from './poll-travel.ts';
import { overTheWireDown, overTheWireUp } from './wire-format.ts';
import type { World } from './world.ts';

type ClientEvent = PollClientEvent<ClientFrame, SaidFrame>;
type SessionEvent = PollSessionEvent<SaidFrame>;
type SessionEffect = PollSessionEffect<SaidFrame>;

/**
 * Connections by long polling: carries out what the two machines of each ask for. Each request travels on its own, so that
 * requests and answers overtake each other, and may be lost alone.
 */
export class PollLinks {
  readonly travel: PollTravel;
  readonly #world: World;
  readonly #wire: boolean;

  constructor(world: World, wire: boolean) {
    this.#world = world;
    this.#wire = wire;
    this.travel = new PollTravel(world);
  }

  // ---------------------------------------------------------------- the device's end

  connect(conn: Connection): void {
    this.#client(conn, { kind: 'begin' });
  }

  /** A frame from the device; undefined: it closes the connection. */
  up(conn: Connection, event: GatewayEvent | undefined): void {
    if (event === undefined) {
      this.#client(conn, { kind: 'leave' });
      this.abandon(conn);
    } else if (event.kind === 'frame') {
      this.#client(conn, { kind: 'say', frame: event.frame, size: sizeOf(event.frame) });
      conn.device.spoke(conn);
    }
  }

  flushDevice(conn: Connection): void {
    this.#client(conn, { kind: 'flush' });
  }

  /** The device's process is gone: its kernel ends the requests, which says nothing of the session. */
  abandon(conn: Connection): void {
    const { underWay } = endsOf(conn);
    for (const place of PLACES) this.#giveUp(conn, underWay[place]);
  }

  /** The device's network breaks every request, and both ends learn of it. */
  breakRequests(conn: Connection): void {
    const { underWay } = endsOf(conn);
    for (const place of PLACES) {
      const request = underWay[place];
      if (request === undefined) continue;
      this.travel.up(conn, { request, ask: { kind: 'gone' }, fate: 'plain' });
      const reply: PollReply = { request, kind: 'failed', status: undefined, retryAfter: 0 };
      this.#world.tell(conn.device, new PollStep(conn, { kind: 'reply', reply }), 0);
    }
  }

  /** Steps of the device's end come out of its inbox. */
  atDevice({ conn, step }: PollStep): void {
    const ends = endsOf(conn);
    if (step.kind === 'client-wake') this.#client(conn, { kind: 'wake', timer: step.timer });
    else if (step.kind === 'deadline') {
      const request = ends.underWay[step.place];
      if (request === undefined) return;
      this.#world.probes.hit('poll.request.given-up');
      this.#giveUp(conn, request);
      this.#client(conn, { kind: 'failed', request, status: undefined, retryAfter: 0 });
    } else if (step.kind === 'reply') this.#onReply(conn, step.reply);
  }

  #giveUp(conn: Connection, request: number | undefined): void {
    if (request === undefined) return;
    settle(endsOf(conn), request);
    this.travel.up(conn, { request, ask: { kind: 'gone' }, fate: 'plain' });
  }

  #onReply(conn: Connection, reply: PollReply): void {
    const ends = endsOf(conn);
    const { request } = reply;
    // Its device has given it up. A kernel would drop it; the machine must be as indifferent.
    if (ends.underWay.poll !== request && ends.underWay.post !== request)
      this.#world.probes.hit('poll.answer.unwanted');
    const acked = ends.acks.get(request) ?? 0;
    settle(ends, request);
    if (reply.kind === 'failed') {
      this.#client(conn, reply);
      return;
    }
    const { frames, last, closed } = reply;
    const had = ends.client.inbox.got;
    const isAwaited = ends.client.polling === request || ends.client.posting?.request === request;
    const isNews = isAwaited && ends.client.stage !== 'over';
    if (isNews && ends.lostFrames && frames.length > 0) {
      ends.lostFrames = false;
      this.#world.probes.hit('poll.frames.said-again');
    }
    const event = { kind: 'answered', request, answer: { frames, last, closed } } as const;
    const effects = stepPollClient<ClientFrame, SaidFrame>(ends.client, event);
    if (isNews) {
      const heard = effects.flatMap((effect) => (effect.kind === 'frame' ? [effect.frame.place] : []));
      const isTold = effects.some((effect) => effect.kind === 'closed') && closed !== undefined;
      this.#world.observers.pollAnswered(conn, {
        acked,
        after: last - frames.length,
        had,
        heard,
        said: isTold ? ends.said : undefined,
      });
    }
    this.#carryOutAll(conn, effects);
  }

  #client(conn: Connection, event: ClientEvent): void {
    this.#carryOutAll(conn, stepPollClient<ClientFrame, SaidFrame>(endsOf(conn).client, event));
  }

  #carryOutAll(conn: Connection, effects: ReturnType<typeof stepPollClient<ClientFrame, SaidFrame>>): void {
    const { device } = conn;
    const { incarnation } = device;
    for (let i = 0; i < effects.length; i++) {
      const effect = effects[i]!;
      // The app died, or closed the connection, at what came before: only its farewell is still said.
      if (device.incarnation !== incarnation) return;
      if (!conn.deviceOpen && effect.kind !== 'leave') continue;
      this.#carryOut(conn, effect);
    }
  }

  #carryOut(
    conn: Connection,
    effect: ReturnType<typeof stepPollClient<ClientFrame, SaidFrame>>[number],
  ): void {
    const { device, deviceConn } = conn;
    switch (effect.kind) {
      case 'ask':
        this.#ask(conn, effect);
        return;
      case 'wake':
        device.wakePoll(conn, { kind: 'client-wake', timer: effect.timer }, effect.after);
        return;
      case 'opened':
        device.deliver(conn, { kind: 'connected', conn: deviceConn });
        return;
      case 'frame': {
        const event = { kind: 'frame', conn: deviceConn, frame: effect.frame.frame } as const;
        device.deliver(conn, this.#wire ? overTheWireDown(event) : event);
        return;
      }
      case 'closed':
        this.abandon(conn);
        device.deliver(conn, { kind: 'closed', conn: deviceConn, code: effect.code });
        return;
      case 'refused':
        device.deliver(conn, { kind: 'refused', conn: deviceConn, status: effect.status });
        return;
      case 'leave':
        this.travel.up(conn, { request: 0, ask: { kind: 'leave' }, fate: 'plain' });
        return;
      default:
        assertNever(effect);
    }
  }

  #ask(
    conn: Connection,
    {
      request,
      ask,
      timeout,
    }: Extract<ReturnType<typeof stepPollClient<ClientFrame, SaidFrame>>[number], { kind: 'ask' }>,
  ): void {
    const ends = endsOf(conn);
    const place: PollTimer = ask.kind === 'post' ? 'post' : 'poll';
    ends.underWay[place] = request;
    if (ask.kind !== 'connect') ends.acks.set(request, ask.ack);
    conn.device.wakePoll(conn, { kind: 'deadline', place }, timeout);
    const fate = this.#fateOf(conn, ask.kind === 'poll');
    if (fate === 'request-lost') {
      this.travel.down(conn, { request, kind: 'failed', status: 502, retryAfter: 0 }, 1);
      return;
    }
    this.travel.up(conn, { request, ask, fate });
    if (fate === 'twice') {
      this.#world.probes.hit('poll.request.twice');
      this.travel.up(conn, { request, ask, fate: 'plain' });
    }
  }

  /** Nothing is drawn while every proxy carries everything. */
  #fateOf(conn: Connection, mayRepeat: boolean): PollFate {
    const { value } = conn.device.pollLoss;
    if (value === 0) return 'plain';
    const hash = keyedHash(conn.key, FATE_STREAM, endsOf(conn).client.nextRequest);
    if (hash % 1_000 >= value) return 'plain';
    const fate = FATES[(hash >>> 16) % FATES.length]!;
    return fate === 'twice' && !mayRepeat ? 'answer-lost' : fate;
  }

  // ---------------------------------------------------------------- the gateway's end

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
      this.#session(conn, { kind: 'say', frame, size: sizeOf(event.frame), what: event.frame });
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

  #session(conn: Connection, event: SessionEvent): void {
    const { session } = endsOf(conn);
    if (session === undefined) return;
    const { gateway } = conn;
    const { incarnation } = gateway;
    const effects = stepPollSession(session, event);
    for (let i = 0; i < effects.length; i++) {
      if (gateway.incarnation !== incarnation) return;
      this.#carryOutAtGateway(conn, effects[i]!);
    }
  }

  #carryOutAtGateway(conn: Connection, effect: SessionEffect): void {
    const { gateway } = conn;
    switch (effect.kind) {
      case 'respond':
        this.#respond(conn, effect);
        return;
      case 'refuse':
        this.#fail(conn, effect.request, statusOf(effect.why), retryAfterOf(effect.why));
        return;
      case 'hear':
        this.#hear(conn, effect.request);
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

  #hear(conn: Connection, request: number): void {
    const { gateway, id } = conn;
    const { incarnation } = gateway;
    const { posts } = endsOf(conn);
    for (const frame of posts.get(request) ?? []) {
      const event = { kind: 'frame', conn: id, frame } as const;
      gateway.deliver(this.#wire ? overTheWireUp(event, this.#world.limits) : event);
      if (gateway.incarnation !== incarnation) return;
    }
    posts.delete(request);
    this.#session(conn, { kind: 'heard', request });
  }

  #respond(conn: Connection, { request, page, closed }: Extract<SessionEffect, { kind: 'respond' }>): void {
    const ends = endsOf(conn);
    const fate = ends.fates.get(request) ?? 'plain';
    ends.fates.delete(request);
    const isLost = fate === 'answer-lost' || fate === 'answer-hangs';
    if (isLost && page.frames.length > 0) {
      ends.lostFrames = true;
      this.#world.probes.hit('poll.frames.lost');
    }
    if (fate === 'answer-lost') {
      this.travel.down(conn, { request, kind: 'failed', status: 504, retryAfter: 0 }, 1);
    } else if (fate !== 'answer-hangs') {
      const { frames, last } = page;
      this.travel.down(conn, { request, kind: 'answered', frames, last, closed }, fate === 'late' ? LATE : 1);
    }
    // A proxy takes an answer to its end, and may lose it after that.
    this.#session(conn, { kind: 'carried', request, whole: true });
  }

  #fail(conn: Connection, request: number, status: number | undefined, retryAfter: number): void {
    endsOf(conn).fates.delete(request);
    this.travel.down(conn, { request, kind: 'failed', status, retryAfter }, 1);
  }
}

const PLACES: readonly PollTimer[] = ['poll', 'post'];
const FATE_STREAM = 0x6661_7465;
const FATES: readonly PollFate[] = ['request-lost', 'answer-lost', 'answer-hangs', 'late', 'twice'];
/** So many times the usual latency: mostly behind what the device asked after it. */
const LATE = 50;

export function endsOf(conn: Connection): PollEnds {
  return conn.poll!;
}

function settle(ends: PollEnds, request: number): void {
  ends.acks.delete(request);
  for (const place of PLACES) if (ends.underWay[place] === request) ends.underWay[place] = undefined;
}

/** Characters, roughly. */
function sizeOf(frame: { readonly frame: string; readonly ciphertext?: string }): number {
  return FRAME_OVERHEAD + (frame.ciphertext?.length ?? 0);
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
