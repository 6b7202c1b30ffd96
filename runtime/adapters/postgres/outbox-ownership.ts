import type { Logger } from 'pino';
import type { Outbox, OutboxOwnership, OutboxStore } from '../../ports/outbox.ts';
import { runRetention } from './body-partitions.ts';
import { DEFAULT_POSTGRES_LIMITS, type PostgresLimits } from './postgres-limits.ts';
import { StoreConnection } from './store-connection.ts';

export interface PostgresOutboxOptions {
  readonly shard: string;
  readonly connectionString: string;
  readonly store: OutboxStore;
  readonly log: Logger;
  /**
   * The owner looks after the partitions of message bodies, now and several times a day: makes those of the next days, and
   * drops what is older than this many days. Undefined: nothing is dropped.
   */
  readonly keepDays?: number;
  /** How often the owner shows that it lives, and others try to become it. Milliseconds. */
  readonly beatMs?: number;
  /** Without an answer for this long the owner takes itself for cut off. Milliseconds. */
  readonly patienceMs?: number;
}

const TEND_MS = 6 * 3_600_000;
const BEAT_MS = 1_000;
const PATIENCE_MS = 3_000;

/** "poutbox", read as a number. Advisory locks are a matter of one database, so every shard has its own. */
const LOCK_KEY = String(0x70_6f_75_74_62_6f_78);

/**
 * A shard's outbox, owned by the one process whose session holds an advisory lock in that database. PostgreSQL lets go of
 * it when the session ends: at once when its process dies, and within ten seconds when its machine is cut off, by TCP
 * keepalive. The owner stops before that: it gives up after `patienceMs` without an answer.
 *
 * Two owners at once are possible (a process that was paused goes on for a moment) and do no harm but work: publishing is
 * at-least-once, and deleting a row twice is deleting it once. Correctness never hangs on this lock.
 * Source: https://www.postgresql.org/docs/15/explicit-locking.html#ADVISORY-LOCKS
 */
export function postgresOutbox(options: PostgresOutboxOptions): Outbox {
  const { shard, store } = options;
  return { shard, store, compete: (onOwned, onLost) => new Competitor(options, onOwned, onLost) };
}

class Competitor implements OutboxOwnership {
  readonly #options: PostgresOutboxOptions;
  readonly #onOwned: () => void;
  readonly #onLost: () => void;
  readonly #connection: StoreConnection;
  #timer: NodeJS.Timeout | undefined;
  #tending: NodeJS.Timeout | undefined;
  #owned = false;
  #closed = false;

  constructor(options: PostgresOutboxOptions, onOwned: () => void, onLost: () => void) {
    this.#options = options;
    this.#onOwned = onOwned;
    this.#onLost = onLost;
    const { connectionString, log, patienceMs = PATIENCE_MS } = options;
    const limits: PostgresLimits = { ...DEFAULT_POSTGRES_LIMITS, answerTimeoutMs: patienceMs };
    this.#connection = new StoreConnection({
      name: 'outbox owner',
      connectionString,
      limits,
      log,
      keepalive: true,
    });
    this.#connection.readyListeners.push(() => this.#beat());
    this.#connection.lostListeners.push(() => this.#lose('the connection was lost'));
    this.#connection.open();
  }

  get owned(): boolean {
    return this.#owned;
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    // Its relay stops before somebody else's can start.
    this.#lose();
    await this.#connection.close();
  }

  /** Asks for the lock, or whether the session that has it still lives; and so on, until the connection is lost. */
  #beat(): void {
    clearTimeout(this.#timer);
    const statement = this.#owned
      ? { name: 'outbox_beat', text: 'SELECT true', values: [] }
      : { name: 'outbox_own', text: 'SELECT pg_try_advisory_lock($1::bigint)', values: [LOCK_KEY] };
    this.#connection.read([statement], (result) => {
      if (this.#closed) return;
      if (result.kind === 'committed') {
        if (!this.#owned && result.rows[0]?.[0]?.[0] === 't') this.#own();
        this.#timer = setTimeout(() => this.#beat(), this.#options.beatMs ?? BEAT_MS);
        return;
      }
      // The session may still hold the lock; a new one decides.
      this.#connection.reset();
    });
  }

  #own(): void {
    this.#owned = true;
    this.#options.log.info({ shard: this.#options.shard }, 'this process empties the outbox');
    this.#onOwned();
    this.#tend();
  }

  /** On a connection of its own: it waits for locks. */
  #tend(): void {
    const { connectionString, keepDays, log, shard } = this.#options;
    runRetention(connectionString, { nowMs: Date.now(), keepDays }, log).catch((err: unknown) => {
      log.error(
        { err, shard },
        'the partitions of message bodies could not be looked after; tried again in six hours',
      );
    });
    this.#tending = setTimeout(() => this.#tend(), TEND_MS);
    this.#tending.unref();
  }

  /** @param reason undefined: it is given up on purpose, which is nothing to be warned of. */
  #lose(reason?: string): void {
    clearTimeout(this.#timer);
    clearTimeout(this.#tending);
    if (!this.#owned) return;
    this.#owned = false;
    const { log, shard } = this.#options;
    if (reason === undefined) log.info({ shard }, 'this process gives the outbox up');
    else log.warn({ shard, reason }, 'this process lost the outbox');
    this.#onLost();
  }
}
