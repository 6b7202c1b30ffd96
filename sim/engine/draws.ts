import { keyedInt } from '../../core/contract/random.ts';

/**
 * A short sequence of draws from one keyed stream of its own: for what is drawn once, as data (a fault's parameters).
 * Two sequences with different streams never influence each other. What is drawn while a run is under way uses
 * `keyedInt` with a key of its own instead.
 */
export class Draws {
  readonly #seed: number;
  readonly #stream: number;
  #next = 0;

  constructor(seed: number, stream: number) {
    this.#seed = seed;
    this.#stream = stream;
  }

  /** @returns an integer in [0, bound). `bound` is an integer from 1 to 2^32. */
  int(bound: number): number {
    return keyedInt(this.#seed, this.#stream, this.#next++, bound);
  }

  /** @returns an integer in [low, high], both included. */
  between(low: number, high: number): number {
    return low + this.int(high - low + 1);
  }

  /** True in `share` of 1,000 draws. */
  perMille(share: number): boolean {
    return this.int(1_000) < share;
  }

  /** @returns one of `list`, or undefined when it is empty. */
  pick<T>(list: readonly T[]): T | undefined {
    return list.length === 0 ? undefined : list[this.int(list.length)];
  }
}
