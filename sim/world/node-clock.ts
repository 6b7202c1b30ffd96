import { HOUR, type Micros, micros } from '../../core/contract/time.ts';

/** What every clock shows at the start of a run: far enough from 0 that a clock set back stays positive. */
export const CLOCK_START = 100 * HOUR;

/** The clock of one node: true time, an offset, and a drift in parts per million. Timers run at the drifting rate. */
export class NodeClock {
  #offset = CLOCK_START;
  #driftPpm = 0;
  #driftSince = 0;

  /** @param now true virtual time, microseconds. */
  read(now: number): Micros {
    if (this.#driftPpm === 0) return micros(now + this.#offset);
    return micros(now + this.#offset + this.#drifted(now));
  }

  /** True microseconds in which this clock moves by `span`. */
  trueSpan(span: number): number {
    if (this.#driftPpm === 0) return span;
    return Math.ceil((span * 1_000_000) / (1_000_000 + this.#driftPpm));
  }

  /** Sets the clock forward, or back when negative. */
  step(by: number): void {
    this.#offset += by;
  }

  /** @param ppm above -1,000,000; 0 ends the drift, what it gathered stays. */
  drift(ppm: number, now: number): void {
    this.#offset += this.#drifted(now);
    this.#driftPpm = ppm;
    this.#driftSince = now;
  }

  #drifted(now: number): number {
    return Math.floor(((now - this.#driftSince) * this.#driftPpm) / 1_000_000);
  }
}
