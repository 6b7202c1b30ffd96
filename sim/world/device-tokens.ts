import { FaultDial } from './fault-dial.ts';

/** A token as far as time is concerned: until when it is good, in the engine's time. */
export interface Token {
  readonly expiresAt: number;
}

/**
 * The tokens of one device, and the application that gets them. It hands out the one it has while that is good, and gets a
 * new one after some delay. Outside of the faults that concern it, a token outlives every run.
 */
export class DeviceTokens {
  /** How long new tokens live, as the shortest of the faults under way says. */
  readonly #lives: number[] = [];
  /** Moments at which tokens that were given out before run out, ascending. */
  readonly #ends: number[] = [];
  #current: Token | undefined;
  /** Microseconds until the application has a new one. */
  readonly delay = new FaultDial();
  /** The application does not look at the time: it presents what has run out, and hears of that by the refusal. */
  readonly careless = new FaultDial();

  /** A token that was given out before `at` runs out then. */
  expireAt(at: number): void {
    this.#ends.push(at);
    this.#ends.sort((a, b) => a - b);
  }

  /** @param life microseconds, at least 1. @returns what ends it. */
  shorten(life: number): () => void {
    this.#lives.push(life);
    return () => {
      this.#lives.splice(this.#lives.indexOf(life), 1);
    };
  }

  /** The token for a connection that is made now. @returns undefined when the application has to get one first. */
  atHand(now: number): Token | undefined {
    this.#current ??= this.#issue(now);
    const isGood = this.#current.expiresAt > now;
    return isGood || this.careless.value > 0 ? this.#current : undefined;
  }

  /** The application has got a new one. */
  renew(now: number): Token {
    this.#current = this.#issue(now);
    return this.#current;
  }

  #issue(now: number): Token {
    const end = this.#ends.find((at) => at > now) ?? Number.POSITIVE_INFINITY;
    return { expiresAt: Math.min(end, now + Math.min(...this.#lives, Number.POSITIVE_INFINITY)) };
  }
}
