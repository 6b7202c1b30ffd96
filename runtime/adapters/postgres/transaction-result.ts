import pg from 'pg';
import type { Row } from './message-row.ts';

/**
 * How a transaction ended, as far as this side can know.
 *
 * `failed` is a promise that nothing was written: the server reported an error before COMMIT (PostgreSQL then turns the
 * COMMIT into a ROLLBACK), or the transaction was never sent. A connection that is lost, or a deadline that passes, after
 * the COMMIT was sent and before its answer came leaves `unknown`: the commit may be on disk.
 */
export type TransactionResult =
  | { readonly kind: 'committed'; readonly rows: readonly (readonly Row[])[] }
  | { readonly kind: 'failed'; readonly cause: FailureCause; readonly error: Error }
  | { readonly kind: 'unknown'; readonly error: Error };

/**
 * `conflict`: another transaction was in the way, the same again may work. `content`: something in this transaction is
 * refused, the rest of it may work without. `unavailable`: PostgreSQL cannot work now.
 */
export type FailureCause = 'conflict' | 'content' | 'unavailable';

/** SQLSTATEs of PostgreSQL's documentation, appendix A. */
export function causeOf(error: Error): FailureCause {
  const state = sqlState(error);
  switch (state) {
    case '40001': // serialization_failure
    case '40P01': // deadlock_detected
    case '23514': // check_violation: a partition was made for the day of a body on its way to the one for all other days
    case '23505': // unique_violation: a race on a send key or a direct chat; tried again, it is seen
      return 'conflict';
    case '25006': // read_only_sql_transaction: a failover made this server a replica
    case '26000': // a prepared statement is gone
      return 'unavailable';
    default:
      // 22 data, 23 integrity, 54 limits, P0 raised by a function, XX internal, 21 cardinality.
      return state !== undefined && /^(?:2[0123]|54|P0|XX)/.test(state) ? 'content' : 'unavailable';
  }
}

/**
 * Whether an error says for certain that the transaction came to nothing. In answer to a statement before COMMIT every error
 * of the server does: the COMMIT behind it is a rollback. In answer to COMMIT only those that say so do. Two say in so
 * many words that nobody knows, wherever they come from: a pooler or a proxy may say them for a server that it has lost.
 */
export function saysNothingHappened(error: Error, answers: 'statement' | 'COMMIT'): boolean {
  const state = sqlState(error);
  // statement_completion_unknown, transaction_resolution_unknown
  if (state === undefined || state === '40003' || state === '08007') return false;
  return answers === 'statement' || /^(?:40|23)/.test(state);
}

/** After these a connection is of no more use, though it may still be open. */
export function spoilsConnection(error: Error): boolean {
  const state = sqlState(error);
  return state !== undefined && /^(?:08|57P|25006|26000)/.test(state);
}

/** Undefined for an error that did not come from the server. */
export function sqlState(error: Error): string | undefined {
  return error instanceof pg.DatabaseError ? error.code : undefined;
}
