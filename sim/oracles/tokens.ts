/** A bucket of tokens told a second time: what is in it, in microseconds of waiting. */
export class Tokens {
  #level: number;
  #at = 0;
  readonly interval: number;
  readonly full: number;

  constructor(interval: number, burst: number) {
    this.interval = interval;
    this.full = interval * burst;
    this.#level = this.full;
  }

  level(at: number): number {
    this.#level = Math.min(this.full, this.#level + at - this.#at);
    this.#at = at;
    return this.#level;
  }

  /** @param lowest below which it does not fall. */
  take(at: number, lowest: number): void {
    this.#level = Math.max(lowest, this.level(at) - this.interval);
  }
}

/** @returns the bucket of a key, full when it is asked for the first time. */
export function tokensOf(all: Map<string, Tokens>, key: string, interval: number, burst: number): Tokens {
  let tokens = all.get(key);
  if (tokens === undefined) {
    tokens = new Tokens(interval, burst);
    all.set(key, tokens);
  }
  return tokens;
}
