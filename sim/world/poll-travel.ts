import type { Connection } from './connection.ts';
import { POLL_DOWN, POLL_UP } from './event-kind.ts';
import { type PollReply, type PollRequest, PollStep } from './poll-ends.ts';
import type { World } from './world.ts';

interface Held {
  readonly conn: Connection;
  readonly goesUp: boolean;
  readonly step: PollStep;
}

/** The ways of requests and answers: each on a connection of its own, so nothing keeps their order. */
export class PollTravel {
  readonly #world: World;
  #held: Held[] = [];

  constructor(world: World) {
    this.#world = world;
  }

  up(conn: Connection, request: PollRequest): void {
    this.#send({ conn, goesUp: true, step: new PollStep(conn, { kind: 'request', request }) }, 1);
  }

  /** @param times how many times the usual latency. */
  down(conn: Connection, reply: PollReply, times: number): void {
    this.#send({ conn, goesUp: false, step: new PollStep(conn, { kind: 'reply', reply }) }, times);
  }

  /** A way opened: what was held on it goes on. */
  release(): void {
    const waiting = this.#held;
    if (waiting.length === 0) return;
    this.#held = [];
    for (const held of waiting) this.#send(held, 1);
  }

  #send(what: Held, times: number): void {
    const { network, engine, probes } = this.#world;
    const { conn, goesUp, step } = what;
    const [from, to] = goesUp
      ? [conn.device.index, conn.gateway.index]
      : [conn.gateway.index, conn.device.index];
    const state = network.state(from, to);
    if (state === 'lost') {
      probes.hit('poll.way.lost');
      return;
    }
    if (state === 'held') {
      this.#held.push(what);
      return;
    }
    const delay = times * network.deviceDelay(from, to, conn.key, conn.draws++);
    const kind = goesUp ? POLL_UP : POLL_DOWN;
    engine.schedule(delay, kind, to, goesUp ? 0 : conn.device.incarnation, step, conn);
  }
}
