import type { Logger } from 'pino';
import type { Done } from '../../ports/message-store.ts';
import { fullJitter } from '../../resilience/full-jitter.ts';
import { MalformedRequest } from './postgres-id.ts';
import type { PostgresLimits } from './postgres-limits.ts';
import type { StoreConnection } from './store-connection.ts';
import type { StoreMetrics } from './store-options.ts';
import type { FailureCause } from './transaction-result.ts';

/** How one group of calls ended; `done` has one result a call, in their order. */
export type GroupOutcome<Result> =
  | { readonly kind: 'done'; readonly results: readonly Result[] }
  | { readonly kind: 'failed'; readonly cause: FailureCause; readonly error: Error }
  | { readonly kind: 'unknown'; readonly error: Error };

/** What a lane needs to know of its calls. */
export interface GroupKind<Request, Result> {
  readonly name: string;
  readonly failed: Result;
  /** The answer after an unknown outcome; for reads the same as `failed`. */
  readonly unknown: Result;
  /** How much of a group a call takes. */
  items(request: Request): number;
  bytes(request: Request): number;
  /**
   * How long the first call waits for others, for what nobody waits for: fewer transactions. What already fills a good
   * part of a group does not wait: under load the time is better spent working.
   */
  readonly lingerMs?: number;
  /**
   * Calls that follow each other closely share groups: a group about several things is followed by the next one after so many
   * milliseconds at the earliest, and a second one runs beside it only when that much waits that it is worth it.
   */
  readonly paceMs?: number;
  /** How many things a group was about, where that is not its calls. */
  count?(results: readonly Result[]): number;
  /** Calls that share a key never share a group. */
  keys(request: Request): readonly string[];
  /** Carries a group out. @throws MalformedRequest before anything was sent. */
  run(
    connection: StoreConnection,
    requests: readonly Request[],
    done: (outcome: GroupOutcome<Result>) => void,
  ): void;
}

export interface LaneOptions {
  readonly limits: PostgresLimits;
  readonly log: Logger;
  readonly metrics: StoreMetrics | undefined;
}

/** A lane lingers while it holds less than this part of a group. */
const LINGER_SHARE = 8;
/** A second group of calls that keep a pace begins beside the first when there is this part of a group for it. */
const BESIDE_SHARE = 32;

/** Of the time that a group took, and at most so many milliseconds. */
const REST_SHARE = 2;
const REST_MAX_MS = 30;

/** Ceiling of the pause after a conflict: the other transaction is over in a moment. Milliseconds. */
const CONFLICT_BASE_MS = 1;
const CONFLICT_MAX_MS = 1_000;

interface Call<Request, Result> {
  readonly request: Request;
  readonly done: Done<Result>;
  readonly since: number;
}

type Calls<Request, Result> = readonly Call<Request, Result>[];

interface Worker {
  readonly connection: StoreConnection;
  busy: boolean;
}

/**
 * Group commit: calls that come while a transaction is under way wait, and are carried out together in the next one. The
 * busier the store, the larger its groups, so throughput rises with load while a lone call waits for nobody.
 *
 * A group that fails because of its content is halved until the culprit stands alone, so one call never spoils another.
 * *Invariant:* at most `laneQueue` calls wait; what comes then is answered `failed` at once.
 */
export class GroupLane<Request, Result> {
  readonly #kind: GroupKind<Request, Result>;
  readonly #options: LaneOptions;
  readonly #workers: readonly Worker[];
  #queue: Call<Request, Result>[] = [];
  /** Of the calls in `#queue`, together. */
  #waitingItems = 0;
  /** Groups that are to be carried out before anything that waits: halves, and repetitions. */
  #urgent: Calls<Request, Result>[] = [];
  #scheduled = false;
  /** When the last group ended, and how long it took. */
  #endedAt = Number.NEGATIVE_INFINITY;
  #tookMs = 0;
  #hadSeveral = false;
  #patience: NodeJS.Timeout | undefined;
  #onIdle: (() => void) | undefined;
  #closed = false;

  /** @param connections one group at a time runs on each; a connection may be shared with other lanes. */
  constructor(
    kind: GroupKind<Request, Result>,
    connections: readonly StoreConnection[],
    options: LaneOptions,
  ) {
    this.#kind = kind;
    this.#options = options;
    this.#workers = connections.map((connection) => ({ connection, busy: false }));
    for (const connection of connections) connection.readyListeners.push(() => this.#schedule());
  }

  submit(request: Request, done: Done<Result>): void {
    if (this.#closed || this.#queue.length >= this.#options.limits.laneQueue) {
      const { failed, name } = this.#kind;
      this.#options.metrics?.outcome(name, 'refused');
      setImmediate(() => done(failed));
      return;
    }
    this.#queue.push({ request, done, since: performance.now() });
    this.#waitingItems += this.#kind.items(request);
    this.#schedule();
  }

  /** Takes no more calls; resolves when every call has been answered. */
  close(): Promise<void> {
    this.#closed = true;
    if (!this.#workers.some((worker) => worker.connection.ready)) this.#failWaiting(Number.POSITIVE_INFINITY);
    return new Promise((resolve) => {
      this.#onIdle = resolve;
      this.#checkIdle();
    });
  }

  /** Lets the events of this turn of the loop hand in their calls before a group is taken. */
  #schedule(): void {
    if (this.#scheduled || (this.#queue.length === 0 && this.#urgent.length === 0)) return;
    if (!this.#workers.some((worker) => worker.connection.ready)) {
      for (const worker of this.#workers) worker.connection.open();
      this.#beFailedInTime();
      return;
    }
    if (this.#nextWorker() === undefined) return;
    this.#scheduled = true;
    const dispatch = (): void => {
      this.#scheduled = false;
      this.#dispatch();
    };
    const wait = this.#urgent.length > 0 || this.#fills(LINGER_SHARE) ? 0 : this.#wait();
    if (wait <= 0) setImmediate(dispatch);
    else setTimeout(dispatch, wait);
  }

  /**
   * The slower the store, the larger its groups: a lane that has just carried out one leaves the store alone for twice as long
   * as that took. After a silence nobody waits.
   */
  #wait(): number {
    const { lingerMs = 0, paceMs = 0 } = this.#kind;
    const pace = this.#hadSeveral ? paceMs : 0;
    const rest = this.#endedAt + Math.max(pace, Math.min(REST_MAX_MS, REST_SHARE * this.#tookMs));
    return Math.ceil(Math.max(lingerMs, rest - performance.now()));
  }

  /** Whether what waits is at least that part of a group. */
  #fills(share: number): boolean {
    return this.#waitingItems >= this.#options.limits.groupItems / share;
  }

  /** Whoever may begin with the next group. */
  #nextWorker(): Worker | undefined {
    const keepsPace = this.#kind.paceMs !== undefined && this.#urgent.length === 0;
    if (keepsPace && !this.#fills(BESIDE_SHARE) && this.#workers.some(({ busy }) => busy)) return undefined;
    return this.#workers.find((worker) => !worker.busy && worker.connection.ready);
  }

  #dispatch(): void {
    for (let worker = this.#nextWorker(); worker !== undefined; worker = this.#nextWorker()) {
      const calls = this.#urgent.shift() ?? this.#take();
      if (calls.length === 0) return;
      this.#run(worker, calls, 0);
    }
    this.#schedule();
  }

  /** The next group, oldest calls first. What shares a key with a call of the group stays for the next one. */
  #take(): Calls<Request, Result> {
    const { limits, metrics } = this.#options;
    metrics?.waiting(this.#kind.name, this.#queue.length);
    const taken: Call<Request, Result>[] = [];
    const kept: Call<Request, Result>[] = [];
    const keys = new Set<string>();
    let items = 0;
    let bytes = 0;
    let next = 0;
    while (next < this.#queue.length && taken.length < limits.groupCalls && kept.length < limits.groupCalls) {
      const call = this.#queue[next] as Call<Request, Result>;
      const own = this.#kind.keys(call.request);
      if (own.some((key) => keys.has(key))) {
        kept.push(call);
        next++;
        continue;
      }
      const more = items + this.#kind.items(call.request);
      bytes += this.#kind.bytes(call.request);
      if (taken.length > 0 && (more > limits.groupItems || bytes > limits.groupBytes)) break;
      items = more;
      for (const key of own) keys.add(key);
      taken.push(call);
      next++;
    }
    this.#waitingItems -= items;
    const rest = this.#queue.slice(next);
    this.#queue = kept.length === 0 ? rest : [...kept, ...rest];
    return taken;
  }

  #run(worker: Worker, calls: Calls<Request, Result>, attempt: number): void {
    worker.busy = true;
    const startedAt = performance.now();
    const onOutcome = (outcome: GroupOutcome<Result>): void => {
      this.#endedAt = performance.now();
      this.#tookMs = this.#endedAt - startedAt;
      const results = outcome.kind === 'done' ? outcome.results : [];
      this.#hadSeveral = (this.#kind.count?.(results) ?? calls.length) > 1;
      this.#options.metrics?.group(this.#kind.name, calls.length, this.#tookMs / 1000);
      this.#ended(worker, calls, attempt, outcome);
    };
    try {
      const requests = calls.map((call) => call.request);
      this.#kind.run(worker.connection, requests, onOutcome);
    } catch (error) {
      if (!(error instanceof MalformedRequest)) throw error;
      setImmediate(() => onOutcome({ kind: 'failed', cause: 'content', error }));
    }
  }

  #ended(
    worker: Worker,
    calls: Calls<Request, Result>,
    attempt: number,
    outcome: GroupOutcome<Result>,
  ): void {
    const { limits, log } = this.#options;
    if (outcome.kind === 'failed' && outcome.cause === 'conflict' && attempt < limits.conflictRetries) {
      // The worker stays busy: others meanwhile get through, and the two that collided come back apart.
      const pause = fullJitter(attempt, CONFLICT_BASE_MS, CONFLICT_MAX_MS);
      setTimeout(() => this.#run(worker, calls, attempt + 1), pause);
      return;
    }
    worker.busy = false;
    if (outcome.kind === 'failed' && outcome.cause !== 'unavailable' && calls.length > 1) {
      const half = calls.length >> 1;
      this.#urgent.push(calls.slice(0, half), calls.slice(half));
    } else if (outcome.kind === 'done') {
      calls.forEach((call, i) => this.#answer(call, outcome.results[i] as Result));
    } else {
      const { name, unknown, failed } = this.#kind;
      log.warn(
        { lane: name, calls: calls.length, outcome: outcome.kind, err: outcome.error },
        'store calls did not succeed',
      );
      for (const call of calls) this.#answer(call, outcome.kind === 'unknown' ? unknown : failed);
    }
    this.#schedule();
    this.#checkIdle();
  }

  #answer(call: Call<Request, Result>, result: Result): void {
    const { metrics } = this.#options;
    if (metrics !== undefined) metrics.outcome(this.#kind.name, outcomeOf(result));
    call.done(result);
  }

  /** Calls wait for a connection, but not for ever. */
  #beFailedInTime(): void {
    const oldest = this.#queue[0];
    if (this.#patience !== undefined || oldest === undefined) return;
    const left = oldest.since + this.#options.limits.connectPatienceMs - performance.now();
    this.#patience = setTimeout(
      () => {
        this.#patience = undefined;
        if (this.#workers.some((worker) => worker.connection.ready)) return;
        this.#failWaiting(performance.now() - this.#options.limits.connectPatienceMs + 1);
        this.#schedule();
      },
      Math.max(1, left),
    );
  }

  #failWaiting(before: number): void {
    const count = this.#queue.findIndex((call) => call.since > before);
    const expired = this.#queue.splice(0, count === -1 ? this.#queue.length : count);
    for (const { request } of expired) this.#waitingItems -= this.#kind.items(request);
    for (const group of this.#urgent.splice(0)) expired.push(...group);
    for (const call of expired) setImmediate(() => this.#answer(call, this.#kind.failed));
    this.#checkIdle();
  }

  #checkIdle(): void {
    if (this.#onIdle === undefined || this.#queue.length > 0 || this.#urgent.length > 0) return;
    if (this.#workers.some((worker) => worker.busy)) return;
    clearTimeout(this.#patience);
    this.#onIdle();
  }
}

function outcomeOf(result: unknown): string {
  return typeof result === 'object' && result !== null && 'outcome' in result ? String(result.outcome) : 'ok';
}
