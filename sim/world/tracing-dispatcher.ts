import type { Dispatcher } from '../engine/engine.ts';
import type { RunOptions } from '../run-result.ts';
import { describeEvent } from './describe-event.ts';
import type { World } from './world.ts';

/** Runs events like the world itself, and tells a trace and a hash log of each. */
export class TracingDispatcher implements Dispatcher {
  readonly #world: World;
  readonly #options: Pick<RunOptions, 'trace' | 'hashes'>;
  #index = 0;

  constructor(world: World, options: Pick<RunOptions, 'trace' | 'hashes'>) {
    this.#world = world;
    this.#options = options;
  }

  dispatch(kind: number, target: number, detail: number, payload: unknown, context: unknown): boolean {
    const world = this.#world;
    const { trace, hashes } = this.#options;
    const effects: unknown[] = [];
    if (trace !== undefined) world.traceEffects = effects;
    const counted = world.dispatch(kind, target, detail, payload, context);
    if (!counted) return false;
    const hash = (world.engine.hash.word ^ (world.effectHash?.word ?? 0)) >>> 0;
    hashes?.push(hash);
    if (trace !== undefined) {
      const words = describeEvent(world, { kind, target, detail, payload, context });
      trace.event({ index: this.#index, at: world.engine.now, ...words, effects, hash });
    }
    this.#index++;
    return true;
  }
}
