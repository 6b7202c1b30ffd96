import { fullJitter } from './full-jitter.ts';

export interface CircuitBreakerOptions {
  /** How long calls may be under way without any answer before nobody waits any longer. Milliseconds. */
  readonly silenceMs: number;
  /** Resolves when the dependency serves; asked with jittered pauses while the circuit is open. */
  readonly probe: () => Promise<void>;
  /** Ceiling of the first and of every later pause between two probes. Milliseconds. */
  readonly probeBaseMs: number;
  readonly probeMaxMs: number;
  /** A call that got no answer has the dependency probed at once, and the circuit opens when that fails too. */
  readonly suspicious: boolean;
  readonly onOpen: (reason: string) => void;
  readonly onClose: () => void;
}

/**
 * Knows whether a dependency is worth asking. The circuit opens when calls are under way and none has been answered for
 * `silenceMs`; from then on nobody waits for it. It closes when a probe succeeds: callers never pay for finding that out.
 *
 * One slow call among others that are answered does not open it: that is load, not silence.
 * *Invariant:* at most one timer and one probe at a time, however many calls.
 */
export class CircuitBreaker {
  readonly #options: CircuitBreakerOptions;
  #closed = true;
  #stopped = false;
  #underWay = 0;
  /** Since when nothing was heard while something was under way. */
  #quietSinceMs = 0;
  #timer: NodeJS.Timeout | undefined;
  #suspected = false;

  constructor(options: CircuitBreakerOptions) {
    this.#options = options;
  }

  /** Calls may go out. */
  get closed(): boolean {
    return this.#closed;
  }

  began(): void {
    if (this.#underWay++ > 0) return;
    this.#quietSinceMs = performance.now();
    if (this.#closed && this.#timer === undefined) this.#watch(this.#options.silenceMs);
  }

  /** @param alive whether the answer came from the dependency itself, rather than from somebody who gave it up. */
  ended(alive: boolean): void {
    this.#underWay--;
    if (alive) this.#quietSinceMs = performance.now();
    else if (this.#options.suspicious) this.#suspect();
  }

  /** Opens the circuit for a reason that somebody else found. */
  open(reason: string): void {
    if (!this.#closed || this.#stopped) return;
    this.#closed = false;
    clearTimeout(this.#timer);
    this.#options.onOpen(reason);
    this.#probe(0);
  }

  /** Probes no more. */
  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  #suspect(): void {
    if (!this.#closed || this.#suspected || this.#stopped) return;
    this.#suspected = true;
    answeredWithin(this.#options.silenceMs, this.#options.probe())
      .catch((error: unknown) => this.open(error instanceof Error ? error.message : String(error)))
      .finally(() => (this.#suspected = false));
  }

  #watch(afterMs: number): void {
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      if (this.#underWay === 0) return;
      const leftMs = this.#quietSinceMs + this.#options.silenceMs - performance.now();
      if (leftMs > 0) this.#watch(Math.ceil(leftMs));
      else this.open(`no answer for ${this.#options.silenceMs} ms`);
    }, afterMs);
    this.#timer.unref();
  }

  #probe(attempt: number): void {
    const { silenceMs, probeBaseMs, probeMaxMs } = this.#options;
    const again = (): void => {
      if (this.#stopped) return;
      this.#timer = setTimeout(() => this.#probe(attempt + 1), fullJitter(attempt, probeBaseMs, probeMaxMs));
      this.#timer.unref();
    };
    answeredWithin(silenceMs, this.#options.probe()).then(() => this.#close(), again);
  }

  #close(): void {
    if (this.#stopped) return;
    this.#closed = true;
    this.#timer = undefined;
    this.#quietSinceMs = performance.now();
    if (this.#underWay > 0) this.#watch(this.#options.silenceMs);
    this.#options.onClose();
  }
}

function answeredWithin(ms: number, answer: Promise<void>): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no answer to a probe for ${ms} ms`)), ms);
    timer.unref();
    answer.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
