import { assertNever } from '../../core/contract/assert.ts';
import { keyedHash } from '../../core/contract/random.ts';
import {
  type PollClientEffect,
  type PollClientEvent,
  type PollTimer,
  stepPollClient,
} from '../../core/device/poll-client.ts';
import type { GatewayEvent } from '../../core/session/gateway-event.ts';
import type { ClientFrame } from '../../core/wire/frames.ts';
import type { Connection } from './connection.ts';
import {
  endsOf,
  type PollEnds,
  type PollFate,
  type PollReply,
  PollStep,
  type SaidFrame,
  sizeOfFrame,
} from './poll-ends.ts';
import type { PollTravel } from './poll-travel.ts';
import { overTheWireDown } from './wire-format.ts';
import type { World } from './world.ts';

type Event = PollClientEvent<ClientFrame, SaidFrame>;
type Effect = PollClientEffect<ClientFrame, SaidFrame>;

const PLACES: readonly PollTimer[] = ['poll', 'post'];
const FATE_STREAM = 0x6661_7465;
const FATES: readonly PollFate[] = ['request-lost', 'answer-lost', 'answer-hangs', 'late', 'twice'];

/** The devices' ends of connections by long polling: carries out what the client of each asks for. */
export class PollClients {
  readonly #world: World;
  readonly #travel: PollTravel;
  readonly #wire: boolean;

  constructor(world: World, travel: PollTravel, wire: boolean) {
    this.#world = world;
    this.#travel = travel;
    this.#wire = wire;
  }

  connect(conn: Connection): void {
    this.#client(conn, { kind: 'begin' });
  }

  /** A frame from the device; undefined: it closes the connection. */
  up(conn: Connection, event: GatewayEvent | undefined): void {
    if (event === undefined) {
      this.#client(conn, { kind: 'leave' });
      this.abandon(conn);
    } else if (event.kind === 'frame') {
      this.#client(conn, { kind: 'say', frame: event.frame, size: sizeOfFrame(event.frame) });
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
      this.#travel.up(conn, { request, ask: { kind: 'gone' }, fate: 'plain' });
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
    this.#travel.up(conn, { request, ask: { kind: 'gone' }, fate: 'plain' });
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

  #client(conn: Connection, event: Event): void {
    this.#carryOutAll(conn, stepPollClient<ClientFrame, SaidFrame>(endsOf(conn).client, event));
  }

  #carryOutAll(conn: Connection, effects: readonly Effect[], from: number = 0): void {
    const { device } = conn;
    const { incarnation } = device;
    for (let i = from; i < effects.length; i++) {
      if (device.paused) {
        device.afterPause(() => this.#carryOutAll(conn, effects, i));
        return;
      }
      const effect = effects[i]!;
      // The app died, or closed the connection, at what came before: only its farewell is still said.
      if (device.incarnation !== incarnation) return;
      if (!conn.deviceOpen && effect.kind !== 'leave') continue;
      this.#carryOut(conn, effect);
    }
  }

  #carryOut(conn: Connection, effect: Effect): void {
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
        this.#travel.up(conn, { request: 0, ask: { kind: 'leave' }, fate: 'plain' });
        return;
      default:
        assertNever(effect);
    }
  }

  #ask(conn: Connection, { request, ask, timeout }: Extract<Effect, { kind: 'ask' }>): void {
    const ends = endsOf(conn);
    const place: PollTimer = ask.kind === 'post' ? 'post' : 'poll';
    ends.underWay[place] = request;
    if (ask.kind !== 'connect') ends.acks.set(request, ask.ack);
    conn.device.wakePoll(conn, { kind: 'deadline', place }, timeout);
    const fate = this.#fateOf(conn, ask.kind === 'poll');
    if (fate === 'request-lost') {
      this.#travel.down(conn, { request, kind: 'failed', status: 502, retryAfter: 0 }, 1);
      return;
    }
    this.#travel.up(conn, { request, ask, fate });
    if (fate === 'twice') {
      this.#world.probes.hit('poll.request.twice');
      this.#travel.up(conn, { request, ask, fate: 'plain' });
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
}

function settle(ends: PollEnds, request: number): void {
  ends.acks.delete(request);
  for (const place of PLACES) if (ends.underWay[place] === request) ends.underWay[place] = undefined;
}
