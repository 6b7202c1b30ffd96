import type { Logger } from 'pino';
import type { Limits } from '../../../core/contract/limits.ts';
import type { PostgresLimits } from './postgres-limits.ts';

export interface PostgresStoreOptions {
  /** `postgresql://user:password@host:port/database`, with the parameters that node-postgres knows. */
  readonly connectionString: string;
  /** A physical replica of the same database: history is read there when it has the whole page (`fetchHistory`). */
  readonly replicaConnectionString?: string;
  /** Machine limits that the store's answers depend on. */
  readonly limits: Pick<Limits, 'receiptMembers'>;
  /**
   * From 0 to 7, another for each region, the same for ever: numbers of process runs are unique over all regions
   * (`claimInstance`). Default 0.
   */
  readonly instanceClass?: number;
  /**
   * `all`: every connection is there before the store is. `as-needed`: those that nearly everybody needs, and the others
   * when they are first used: a process of one role needs a few of them, and PostgreSQL has none to spare. Default `all`.
   */
  readonly connect?: 'all' | 'as-needed';
  /** The adapter's own limits; what is left out has its default. */
  readonly postgres?: Partial<PostgresLimits>;
  readonly log: Logger;
  readonly metrics?: StoreMetrics;
}

/** What the adapter measures; called on the hot path, so it must be cheap and must not throw. */
export interface StoreMetrics {
  /** One transaction (or one batch of reads) of `requests` calls ended after `seconds`. */
  group(lane: string, requests: number, seconds: number): void;
  /** One call ended; `outcome` is the contract's word. */
  outcome(call: string, outcome: string): void;
  /** Calls waiting in a lane, sampled at each group. */
  waiting(lane: string, requests: number): void;
}
