/**
 * Limits of the PostgreSQL adapter, with their reasons. Durations are milliseconds, the rest are counts unless the name
 * says bytes. What does not fit is answered `failed` at once: the machines retry, a queue without end would not.
 */
export interface PostgresLimits {
  /** Connections that append: while one waits for the disk another works, if there is enough to do. */
  readonly appendLanes: number;
  readonly receiptLanes: number;
  readonly readLanes: number;
  /** Calls waiting in one lane. */
  readonly laneQueue: number;
  /** Messages, receipts or rows asked for by one group: bounds a transaction's time, so the wait of the next group. */
  readonly groupItems: number;
  /** Calls in one group. */
  readonly groupCalls: number;
  /** Base64 characters in one group: bounds the memory of one statement on both sides. */
  readonly groupBytes: number;
  /** PostgreSQL gives up a statement after this long. */
  readonly statementTimeoutMs: number;
  /** This side gives up a group after this long and drops the connection: it may be half open. */
  readonly answerTimeoutMs: number;
  readonly connectTimeoutMs: number;
  /** First and largest delay between connection attempts (full jitter). */
  readonly reconnectBaseMs: number;
  readonly reconnectMaxMs: number;
  /** How long calls wait for a connection before they are answered `failed`. */
  readonly connectPatienceMs: number;
  /** Times one group is tried again after a deadlock, a serialization failure or a race on a unique key. */
  readonly conflictRetries: number;
}

export const DEFAULT_POSTGRES_LIMITS: PostgresLimits = {
  appendLanes: 2,
  receiptLanes: 1,
  readLanes: 2,
  laneQueue: 20_000,
  groupItems: 2_048,
  groupCalls: 1_024,
  groupBytes: 8 * 1024 * 1024,
  statementTimeoutMs: 8_000,
  answerTimeoutMs: 10_000,
  connectTimeoutMs: 5_000,
  reconnectBaseMs: 20,
  reconnectMaxMs: 1_000,
  connectPatienceMs: 2_000,
  conflictRetries: 5,
};
