/** One event as the engine ran it; put into words only when a run failed. */
export interface RecentEvent {
  readonly time: number;
  readonly kind: number;
  readonly target: number;
  readonly detail: number;
  readonly payload: unknown;
  readonly context: unknown;
}

/** The last events of a run, in a ring: what a failure shows first. */
export class RecentEvents {
  readonly #mask: number;
  readonly #times: Float64Array;
  readonly #kinds: Int32Array;
  readonly #targets: Int32Array;
  readonly #details: Float64Array;
  readonly #payloads: unknown[];
  readonly #contexts: unknown[];
  readonly #wanted: number;
  #count = 0;

  /** @param wanted how many to keep, at least 1. */
  constructor(wanted: number) {
    let size = 1;
    while (size < wanted) size *= 2;
    this.#wanted = wanted;
    this.#mask = size - 1;
    this.#times = new Float64Array(size);
    this.#kinds = new Int32Array(size);
    this.#targets = new Int32Array(size);
    this.#details = new Float64Array(size);
    this.#payloads = Array.from({ length: size }, () => undefined);
    this.#contexts = Array.from({ length: size }, () => undefined);
  }

  push(time: number, kind: number, target: number, detail: number, payload: unknown, context: unknown): void {
    const at = this.#count++ & this.#mask;
    this.#times[at] = time;
    this.#kinds[at] = kind;
    this.#targets[at] = target;
    this.#details[at] = detail;
    this.#payloads[at] = payload;
    this.#contexts[at] = context;
  }

  /** Oldest first. */
  list(): RecentEvent[] {
    const events: RecentEvent[] = [];
    for (let i = Math.max(0, this.#count - this.#wanted); i < this.#count; i++) {
      const at = i & this.#mask;
      events.push({
        time: this.#times[at]!,
        kind: this.#kinds[at]!,
        target: this.#targets[at]!,
        detail: this.#details[at]!,
        payload: this.#payloads[at],
        context: this.#contexts[at],
      });
    }
    return events;
  }
}
