import pg from 'pg';
import type { Logger } from 'pino';
import { inSession } from './session.ts';

/** Days for which partitions are made ahead: as long as nobody may look after them. */
export const PARTITIONS_AHEAD_DAYS = 3;

const DAY_MS = 86_400_000;
/** Readers wait behind who waits for a lock on their table, so nobody waits for one longer than this. */
const LOCK_TIMEOUT_MS = 500;
const CONNECT_TIMEOUT_MS = 10_000;
/** The longest that moving bodies into their partition, or unlinking a partition's files, may take. */
const SILENCE_MS = 5 * 60_000;
/** Times a lock is tried for. */
const ATTEMPTS = 20;

export interface RetentionOutcome {
  readonly made: number;
  readonly dropped: number;
}

export interface RetentionOptions {
  readonly nowMs: number;
  /** What was said earlier is dropped: whole days, of which the last is today. Undefined: kept for ever. */
  readonly keepDays: number | undefined;
}

/**
 * Days of one partition. Each group of reads locks them all (docs/gotchas.md), so their number is bounded: by the day for
 * up to three months, by the week for two years, by thirty days beyond that and for ever. What is dropped is dropped a
 * whole partition at a time, which is at most that much later.
 */
export function partitionDays(keepDays: number | undefined): number {
  if (keepDays === undefined || keepDays > 730) return 30;
  return keepDays > 92 ? 7 : 1;
}

/** Makes partitions from yesterday to `PARTITIONS_AHEAD_DAYS` from now. @param span days of each. @returns how many. */
export function makeBodyPartitions(client: pg.ClientBase, nowMs: number, span: number): Promise<number> {
  const today = Math.floor(nowMs / DAY_MS);
  const values = [today - 1, today + PARTITIONS_AHEAD_DAYS, span];
  return withShortLock(client, 'SELECT make_body_partitions($1, $2, $3) AS n', values);
}

/**
 * Looks after the partitions of `bodies`: makes those of yesterday to `PARTITIONS_AHEAD_DAYS` from now, and drops those that
 * are older than `keepDays`. Safe to run by many at once and at any time; each step is tried for a short lock again and again,
 * so that traffic never queues behind it.
 * @throws RangeError when keepDays is below 1; the driver's error when PostgreSQL does not answer or the lock is never had.
 */
export async function keepBodyPartitions(
  client: pg.ClientBase,
  { nowMs, keepDays }: RetentionOptions,
): Promise<RetentionOutcome> {
  if (keepDays !== undefined && !(Number.isInteger(keepDays) && keepDays >= 1))
    throw new RangeError(`days to keep: ${keepDays} is not a whole number from 1`);
  const today = Math.floor(nowMs / DAY_MS);
  const made = await makeBodyPartitions(client, nowMs, partitionDays(keepDays));
  if (keepDays === undefined) return { made, dropped: 0 };
  const firstKept = today - keepDays + 1;
  const dropped = await withShortLock(client, 'SELECT drop_bodies_before($1) AS n', [firstKept]);
  return { made, dropped };
}

/** As `keepBodyPartitions`, on a connection of its own. */
export async function runRetention(
  connectionString: string,
  options: RetentionOptions,
  log: Logger,
): Promise<RetentionOutcome> {
  const session = {
    connectionString,
    name: 'parley retention',
    connectTimeoutMs: CONNECT_TIMEOUT_MS,
    silenceMs: SILENCE_MS,
  };
  const outcome = await inSession(session, (client) => keepBodyPartitions(client, options));
  if (outcome.made + outcome.dropped > 0) log.info(outcome, 'partitions of message bodies looked after');
  return outcome;
}

async function withShortLock(
  client: pg.ClientBase,
  text: string,
  values: readonly number[],
): Promise<number> {
  for (let attempt = 1; ; attempt++) {
    await client.query('BEGIN');
    try {
      await client.query(`SET LOCAL lock_timeout = ${LOCK_TIMEOUT_MS}`);
      const result = await client.query<{ n: number }>(text, [...values]);
      await client.query('COMMIT');
      return result.rows[0]?.n ?? 0;
    } catch (error) {
      await client.query('ROLLBACK').catch(() => {}); // a connection that is gone has rolled back
      // lock_not_available
      if (!(error instanceof pg.DatabaseError && error.code === '55P03') || attempt === ATTEMPTS) throw error;
    }
  }
}
