import pg from 'pg';
import type { Logger } from 'pino';
import { loggableMessage } from '../../observability/loggable-error.ts';
import { fullJitter } from '../../resilience/full-jitter.ts';
import type { Row } from './message-row.ts';
import type { PostgresLimits } from './postgres-limits.ts';
import { endSession } from './session.ts';
import {
  causeOf,
  saysNothingHappened,
  spoilsConnection,
  type TransactionResult,
} from './transaction-result.ts';

export interface Statement {
  /** Prepared under this name once a connection. */
  readonly name: string;
  readonly text: string;
  readonly values: readonly string[];
}

export interface StoreConnectionOptions {
  readonly name: string;
  /**
   * Commits are answered before they are on disk (synchronous_commit = off), and a crash may undo the last of them. For
   * writes whose loss only repeats work.
   */
  readonly unflushed?: boolean;
  /** PostgreSQL notices within ten seconds that this side is cut off, instead of two hours: for who holds something. */
  readonly keepalive?: boolean;
  /** A server that only follows another will do: for reads. */
  readonly replica?: boolean;
  readonly connectionString: string;
  readonly limits: PostgresLimits;
  readonly log: Logger;
}

type Finish = (result: TransactionResult) => void;

/**
 * One connection that stays: it comes back after every loss, and carries out transactions in one round trip each (BEGIN,
 * statements and COMMIT go out together). Transactions handed in while one is under way queue up on the server.
 */
export class StoreConnection {
  readonly name: string;
  /** Called whenever the connection has become ready. */
  readonly readyListeners: (() => void)[] = [];
  /** Called whenever a connection that was ready is lost. */
  readonly lostListeners: (() => void)[] = [];
  readonly #options: StoreConnectionOptions;
  #client: pg.Client | undefined;
  /** One that is not ready yet. */
  #coming: pg.Client | undefined;
  #attempts = 0;
  #retry: NodeJS.Timeout | undefined;
  #wanted = false;
  #closed = false;

  constructor(options: StoreConnectionOptions) {
    this.name = options.name;
    this.#options = options;
  }

  get ready(): boolean {
    return this.#client !== undefined;
  }

  /** Somebody has asked for it: from then on it connects again after every loss. */
  get wanted(): boolean {
    return this.#wanted;
  }

  /** Starts connecting unless that was done; never gives up until `close`. */
  open(): void {
    if (this.#wanted || this.#closed) return;
    this.#wanted = true;
    this.#connect();
  }

  #connect(): void {
    const { connectionString, limits } = this.#options;
    const client = new pg.Client({
      connectionString,
      application_name: `parley ${this.name}`,
      connectionTimeoutMillis: limits.connectTimeoutMs,
      keepAlive: true,
      pipeline: true,
      types: { getTypeParser: () => asText },
    });
    this.#coming = client;
    let lost = false;
    const lose = (error: Error): void => {
      if (lost) return;
      lost = true;
      this.#lost(client, error);
    };
    client.on('error', lose);
    client.on('end', () => lose(new Error('the connection ended')));
    client.connect((error: Error | null) => {
      if (error instanceof Error) lose(error);
      else this.#prepare(client, lose);
    });
  }

  /** Lets what is under way finish, then ends. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#retry);
    if (this.#coming !== undefined) this.#drop(this.#coming);
    const client = this.#client;
    this.#client = undefined;
    if (client !== undefined) await endSession(client);
  }

  /** Goes on with a new session. */
  reset(): void {
    if (this.#client !== undefined) this.#drop(this.#client);
  }

  /**
   * Runs the statements as one transaction (READ COMMITTED) that writes; `done` is called once, never before this
   * returned.
   */
  write(statements: readonly Statement[], done: Finish): void {
    this.#transaction('BEGIN', statements, done);
  }

  /** Runs the statements on one snapshot. */
  read(statements: readonly Statement[], done: Finish): void {
    // A single statement is a snapshot by itself.
    const begin = statements.length === 1 ? undefined : 'BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY';
    this.#transaction(begin, statements, done);
  }

  #transaction(begin: string | undefined, statements: readonly Statement[], done: Finish): void {
    const client = this.#client;
    if (client === undefined) {
      const error = new Error('not connected');
      setImmediate(() => done({ kind: 'failed', cause: 'unavailable', error }));
      return;
    }
    const ending = new TransactionEnding(
      begin === undefined ? statements.length : statements.length + 2,
      (result) => {
        clearTimeout(deadline);
        if (result.kind !== 'committed' && spoilsConnection(result.error)) this.#drop(client);
        done(result);
      },
    );
    const deadline = setTimeout(() => this.#drop(client), this.#options.limits.answerTimeoutMs);
    const { stream } = client.connection;
    stream.cork();
    if (begin !== undefined) client.query(begin, ending.onBegin);
    for (const { name, text, values } of statements) {
      client.query({ name, text, values: values as string[], rowMode: 'array' }, ending.onRows);
    }
    if (begin !== undefined) client.query('COMMIT', ending.onCommit);
    stream.uncork();
  }

  /** The driver's timeout ends with the login: a server that falls silent behind it would never be left. */
  #prepare(client: pg.Client, lose: (error: Error) => void): void {
    const { connectTimeoutMs } = this.#options.limits;
    const silent = new Error(`PostgreSQL said nothing for ${connectTimeoutMs} ms after the login`);
    const deadline = setTimeout(() => lose(silent), connectTimeoutMs);
    client.query(sessionSettings(this.#options), (error: Error | null) => {
      if (error instanceof Error) lose(error);
    });
    client.query(
      { text: 'SELECT pg_is_in_recovery()', rowMode: 'array' },
      (error: Error | null, result: pg.QueryArrayResult<string[]>) => {
        clearTimeout(deadline);
        if (error instanceof Error) lose(error);
        else if (result.rows[0]?.[0] !== 'f' && this.#options.replica !== true)
          lose(new Error('this server is a replica'));
        else if (this.#closed) this.#drop(client);
        else {
          this.#coming = undefined;
          this.#client = client;
          this.#attempts = 0;
          for (const listener of this.readyListeners) listener();
        }
      },
    );
  }

  #lost(client: pg.Client, error: Error): void {
    const wasReady = this.#client === client;
    if (wasReady) this.#client = undefined;
    if (this.#coming === client) this.#coming = undefined;
    this.#drop(client);
    if (wasReady) for (const listener of this.lostListeners) listener();
    if (this.#closed) return;
    const { log, limits } = this.#options;
    const pause = fullJitter(this.#attempts++, limits.reconnectBaseMs, limits.reconnectMaxMs);
    log[wasReady ? 'warn' : 'debug'](
      { connection: this.name, reason: loggableMessage(error) },
      'no connection to PostgreSQL, trying again',
    );
    this.#retry = setTimeout(() => this.#connect(), pause);
  }

  /** Ends a connection that cannot be trusted; what was under way on it is told through the driver. */
  #drop(client: pg.Client): void {
    client.connection.stream.destroy();
  }
}

/** Gathers the answers of one transaction. */
class TransactionEnding {
  readonly #rows: (readonly Row[])[] = [];
  readonly #finish: Finish;
  #error: Error | undefined;
  #left: number;

  constructor(answers: number, finish: Finish) {
    this.#left = answers;
    this.#finish = finish;
  }

  readonly onBegin = (error: Error | null): void => {
    this.#note(error);
    this.#left--;
  };

  readonly onRows = (error: Error | null, result: pg.QueryArrayResult<Row[]>): void => {
    this.#note(error);
    if (error === null) this.#rows.push(result.rows as unknown as readonly Row[]);
    this.#left--;
    // Without a COMMIT of its own: a read, which has no effect to be unsure of.
    if (this.#left === 0)
      this.#finish(this.#error === undefined ? { kind: 'committed', rows: this.#rows } : failed(this.#error));
  };

  readonly onCommit = (error: Error | null, result: pg.QueryResult): void => {
    if (error === null) {
      // COMMIT of a transaction in which a statement failed answers ROLLBACK.
      if (this.#error === undefined && result.command === 'COMMIT')
        this.#finish({ kind: 'committed', rows: this.#rows });
      else this.#finish(failed(this.#error ?? new Error(`COMMIT answered ${result.command}`)));
    } else if (this.#error !== undefined && saysNothingHappened(this.#error, 'statement'))
      this.#finish(failed(this.#error));
    else if (saysNothingHappened(error, 'COMMIT')) this.#finish(failed(error));
    else this.#finish({ kind: 'unknown', error });
  };

  #note(error: Error | null): void {
    if (error !== null) this.#error ??= error;
  }
}

function failed(error: Error): TransactionResult {
  return { kind: 'failed', cause: causeOf(error), error };
}

function asText(value: string): string {
  return value;
}

/**
 * Plans are made once and always go by index: statistics of a table that was small a minute ago would suggest reading it
 * whole, and a cached plan would keep doing so.
 */
function sessionSettings({ limits, unflushed = false, keepalive = false }: StoreConnectionOptions): string {
  return [
    `SET statement_timeout = ${limits.statementTimeoutMs}`,
    `SET idle_in_transaction_session_timeout = ${2 * limits.statementTimeoutMs}`,
    'SET plan_cache_mode = force_generic_plan',
    'SET enable_seqscan = off',
    'SET jit = off',
    "SET bytea_output = 'hex'",
    ...(keepalive
      ? ['SET tcp_keepalives_idle = 4', 'SET tcp_keepalives_interval = 2', 'SET tcp_keepalives_count = 3']
      : []),
    ...(unflushed ? ['SET synchronous_commit = off'] : []),
  ].join('; ');
}
