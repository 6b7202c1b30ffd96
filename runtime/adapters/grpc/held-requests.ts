import type { ServiceRequest } from '../../../core/session/service-call.ts';

export interface HeldRequestsOptions {
  readonly limit: number;
  /** Milliseconds. */
  readonly holdMs: number;
  /** @returns false when there is still nobody to take it. */
  readonly pass: (request: ServiceRequest) => boolean;
  readonly drop: (request: ServiceRequest) => void;
}

interface Held {
  readonly request: ServiceRequest;
  /** On the monotonic clock. */
  readonly until: number;
}

/** Requests for a region whose services are not known yet: a process that has just started, or a region that has. */
export class HeldRequests {
  readonly #options: HeldRequestsOptions;
  /** Oldest first; what is for one region is passed on in this order. */
  #held: Held[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(options: HeldRequestsOptions) {
    this.#options = options;
  }

  hold(request: ServiceRequest): void {
    const { limit, holdMs, drop } = this.#options;
    if (this.#held.length >= limit) {
      drop(request);
      return;
    }
    this.#held.push({ request, until: performance.now() + holdMs });
    this.#timer ??= setTimeout(() => this.#expire(), holdMs).unref();
  }

  /** To be called when the services change, before any other request is passed on. */
  retry(): void {
    const waiting = this.#held;
    // What is passed on may lead to requests that are held in their turn.
    this.#held = [];
    const still = waiting.filter(({ request }) => !this.#options.pass(request));
    this.#held = [...still, ...this.#held];
  }

  close(): void {
    clearTimeout(this.#timer);
    for (const { request } of this.#held) this.#options.drop(request);
    this.#held = [];
  }

  #expire(): void {
    const now = performance.now();
    const firstYoung = this.#held.findIndex(({ until }) => until > now);
    const old = firstYoung === -1 ? this.#held : this.#held.slice(0, firstYoung);
    this.#held = this.#held.slice(old.length);
    const next = this.#held[0];
    this.#timer = next && setTimeout(() => this.#expire(), Math.max(1, next.until - now)).unref();
    for (const { request } of old) this.#options.drop(request);
  }
}
