import type { Logger } from 'pino';
import type { ShardPlan } from '../../../core/contract/placement.ts';
import type { Done } from '../../ports/message-store.ts';
import { CircuitBreaker } from '../../resilience/circuit-breaker.ts';
import { createPostgresMessageStore, type PostgresMessageStore } from './message-store-postgres.ts';
import type { ShardLimits } from './shard-limits.ts';
import type { PostgresStoreOptions } from './store-options.ts';

/** `connecting`: not reached since the start. `silent`: reached before, and asked no more until it answers a probe. */
export type ShardState = 'serving' | 'connecting' | 'silent';

export interface ShardHealth {
  readonly name: string;
  readonly region: string;
  /** In this process's own region. */
  readonly local: boolean;
  readonly state: ShardState;
  /** Why it does not serve. */
  readonly reason: string | undefined;
}

export interface ShardLinkOptions {
  readonly plan: ShardPlan;
  readonly local: boolean;
  readonly limits: ShardLimits;
  readonly store: PostgresStoreOptions;
  readonly log: Logger;
  readonly onState: (health: ShardHealth) => void;
}

/** An ending that every call of the store may have. */
const FAILED: Ending = { outcome: 'failed' };

/** A call that somebody waits for and that may be given up. */
interface Waiting {
  giveUp(): void;
}

/**
 * One shard as the sharded store sees it: there, or not worth waiting for. A call to a shard that is not there is answered
 * `failed` at once, which is the truth: nothing was sent. When the shard falls silent, reads that are under way are answered
 * `failed` too; writes wait for their own outcome, since they may have happened.
 */
export class ShardLink {
  readonly plan: ShardPlan;
  readonly local: boolean;
  readonly #options: ShardLinkOptions;
  readonly #breaker: CircuitBreaker;
  readonly #waiting = new Set<Waiting>();
  #store: PostgresMessageStore | undefined;
  #reason: string | undefined = 'not connected yet';
  #closed = false;

  constructor(options: ShardLinkOptions) {
    this.plan = options.plan;
    this.local = options.local;
    this.#options = options;
    const { silenceMs, probeBaseMs, probeMaxMs } = options.limits;
    this.#breaker = new CircuitBreaker({
      silenceMs,
      probeBaseMs,
      probeMaxMs,
      // The own region's database is worth a moment of patience when it restarts; another region is not.
      suspicious: !options.local,
      probe: () => this.#probe(),
      onOpen: (reason) => this.#fellSilent(reason),
      onClose: () => this.#changed(undefined),
    });
  }

  /** @throws StoreNotReadyError, or the driver's error, when the shard cannot be used now. */
  async connect(): Promise<void> {
    await this.#open();
    this.#changed(undefined);
  }

  /** Connects when that becomes possible, however long it takes. */
  connectBehind(): void {
    this.#breaker.open('not connected yet');
  }

  get health(): ShardHealth {
    const { name, region } = this.plan;
    const state = this.serving ? 'serving' : this.#store === undefined ? 'connecting' : 'silent';
    return { name, region, local: this.local, state, reason: this.#reason };
  }

  get serving(): boolean {
    return this.#store !== undefined && this.#breaker.closed;
  }

  /** The store itself, for what has its own patience. @throws Error when it is not there. */
  require(): PostgresMessageStore {
    if (this.#store === undefined || !this.#breaker.closed)
      throw new Error(
        `shard ${this.plan.name} of region ${this.plan.region} does not answer: ${this.#reason}`,
      );
    return this.#store;
  }

  read<Result extends Ending>(
    ask: (store: PostgresMessageStore, done: Done<Result>) => void,
    done: Done<Result>,
  ): void {
    const store = this.#store;
    if (store === undefined || !this.#breaker.closed) {
      setImmediate(() => done(FAILED as Result));
      return;
    }
    const waiting: Waiting = { giveUp: () => done(FAILED as Result) };
    this.#waiting.add(waiting);
    this.#breaker.began();
    ask(store, (result) => {
      this.#breaker.ended(isAnswer(result));
      if (this.#waiting.delete(waiting)) done(result);
    });
  }

  /** As `read`, but what was sent is waited for. */
  write<Result extends Ending>(
    ask: (store: PostgresMessageStore, done: Done<Result>) => void,
    done: Done<Result>,
  ): void {
    const store = this.#store;
    if (store === undefined || !this.#breaker.closed) {
      setImmediate(() => done(FAILED as Result));
      return;
    }
    this.#breaker.began();
    ask(store, (result) => {
      this.#breaker.ended(isAnswer(result));
      done(result);
    });
  }

  /** For what has no answer: nothing happens when the shard is not there. */
  tell(say: (store: PostgresMessageStore) => void): void {
    if (this.#store !== undefined && this.#breaker.closed) say(this.#store);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#breaker.stop();
    await this.#store?.close();
  }

  async #open(): Promise<void> {
    const store = await createPostgresMessageStore(this.#options.store);
    // Closed meanwhile, or found by another probe.
    if (this.#closed || this.#store !== undefined) await store.close();
    else this.#store = store;
  }

  async #probe(): Promise<void> {
    try {
      if (this.#store === undefined) await this.#open();
      else await this.#store.ping();
    } catch (error) {
      this.#reason = error instanceof Error ? error.message : String(error);
      throw error;
    }
  }

  #fellSilent(reason: string): void {
    this.#changed(reason);
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const { giveUp } of waiting) giveUp();
  }

  #changed(reason: string | undefined): void {
    this.#reason = reason;
    const { log, onState } = this.#options;
    const { name, region } = this.plan;
    if (reason === undefined) log.info({ shard: name, region }, 'shard serves');
    else log.warn({ shard: name, region, reason }, 'shard is asked no more until it answers a probe');
    onState(this.health);
  }
}

interface Ending {
  readonly outcome: string;
}

function isAnswer({ outcome }: Ending): boolean {
  return outcome !== 'failed' && outcome !== 'unknown';
}
