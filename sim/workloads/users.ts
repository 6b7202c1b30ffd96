import { OP } from '../world/event-kind.ts';
import type { World } from '../world/world.ts';
import { performOp } from './perform-op.ts';

/** The users: they carry out the ops of the scenario in the order of their times. Only the next one waits in the queue. */
export class Users {
  readonly #world: World;
  /** Indices of the ops by (time, index). */
  readonly #order: Uint32Array;
  #next = 0;
  readonly #sends = new Map<string, number>();

  constructor(world: World) {
    this.#world = world;
    const { ops } = world.scenario;
    this.#order = new Uint32Array(ops.length);
    for (let i = 0; i < ops.length; i++) this.#order[i] = i;
    // Most scenarios name their ops in order.
    const sorted = ops.every(({ at }, i) => i === 0 || ops[i - 1]!.at <= at);
    if (!sorted) this.#order.sort((a, b) => (ops[a]!.at === ops[b]!.at ? a - b : ops[a]!.at - ops[b]!.at));
  }

  begin(): void {
    this.#scheduleNext();
  }

  /** @param index of the op that is due. */
  perform(index: number): void {
    this.#scheduleNext();
    performOp(this.#world, index);
  }

  /** Numbers the sends of one user, from 1. */
  countSend(userId: string): number {
    const sends = (this.#sends.get(userId) ?? 0) + 1;
    this.#sends.set(userId, sends);
    return sends;
  }

  #scheduleNext(): void {
    const index = this.#order[this.#next++];
    if (index === undefined) return;
    const { engine, scenario, api } = this.#world;
    engine.scheduleAt(scenario.ops[index]!.at, OP, api.index, index, undefined, undefined);
  }
}
