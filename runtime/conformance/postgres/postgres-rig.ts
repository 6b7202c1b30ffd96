import pg from 'pg';
import { pino } from 'pino';
import { DEFAULT_LIMITS } from '../../../core/contract/limits.ts';
import { createPostgresMessageStore } from '../../adapters/postgres/message-store-postgres.ts';
import type { PostgresLimits } from '../../adapters/postgres/postgres-limits.ts';
import { FaultProxy } from '../../adapters/postgres/testing/fault-proxy.ts';
import { until } from '../../adapters/postgres/testing/fault-rig.ts';
import { startTestDatabase, type TestDatabase } from '../../adapters/postgres/testing/test-database.ts';
import type { MessageStore } from '../../ports/message-store.ts';
import type { Caller } from './store-step.ts';

/** One caller: a store with connections of its own, through a proxy of its own. */
export interface StoreCaller {
  readonly store: MessageStore;
  readonly proxy: FaultProxy;
}

export interface PostgresRig {
  readonly database: TestDatabase;
  readonly callers: Readonly<Record<Caller, StoreCaller>>;
  readonly version: string;
  /** Those of PostgreSQL. */
  readonly settings: Readonly<Record<string, string>>;
  /** Where the database itself is reached, past the proxies. */
  readonly socketPath: string;
  /** Runs SQL past the proxies. */
  sql(text: string): Promise<Record<string, unknown>[]>;
  /** Another session, which is ended with the rig at the latest. */
  session(): Promise<pg.Client>;
  /** Waits until every caller is served. */
  served(): Promise<void>;
  close(): Promise<void>;
}

const SETTINGS = {
  // Few, so that a script can use them up.
  max_connections: '40',
  // So that a commit can be made to wait for a replica.
  wal_level: 'replica',
  max_wal_senders: '2',
  // So that a copy that is made while it works finds what it lacks.
  wal_keep_size: '256MB',
};

/** One lane, so that appends of one moment are one transaction. */
const LIMITS: Partial<PostgresLimits> = { appendLanes: 1, reconnectMaxMs: 50 };
const HASTY: Partial<PostgresLimits> = { ...LIMITS, statementTimeoutMs: 300, answerTimeoutMs: 600 };

/** Starts a PostgreSQL of the suite's own: scripts kill it. */
export async function openPostgresRig(): Promise<PostgresRig> {
  const database = await startTestDatabase(SETTINGS);
  const { connectionString } = database;
  const connect = async (): Promise<pg.Client> => {
    const client = new pg.Client({ connectionString });
    client.on('error', () => {}); // reported by the query that was under way
    await client.connect();
    return client;
  };
  let admin: pg.Client | undefined;
  const sql = async (text: string): Promise<Record<string, unknown>[]> => {
    admin ??= await connect();
    try {
      return (await admin.query(text)).rows as Record<string, unknown>[];
    } catch (error) {
      if (!(error instanceof pg.DatabaseError)) admin = undefined;
      throw error;
    }
  };
  const { host } = new pg.Client({ connectionString });
  const socketPath = `${host}/.s.PGSQL.5432`;
  const caller = (limits: Partial<PostgresLimits>): Promise<StoreCaller> => openCaller(socketPath, limits);
  const [s1, s2, hasty] = await Promise.all([caller(LIMITS), caller(LIMITS), caller(HASTY)]);
  const callers = { s1, s2, hasty };
  const [row] = await sql('SHOW server_version');
  const isServed = async ({ store }: StoreCaller): Promise<boolean> =>
    store.ping().then(
      () => true,
      () => false,
    );
  return {
    database,
    callers,
    settings: SETTINGS,
    socketPath,
    version: `PostgreSQL ${String(row?.['server_version'])}`,
    sql,
    session: connect,
    served: () =>
      until(async () => (await Promise.all(Object.values(callers).map(isServed))).every((served) => served)),
    async close() {
      await Promise.all(Object.values(callers).map(({ store }) => store.close()));
      await Promise.all(Object.values(callers).map(({ proxy }) => proxy.close()));
      await admin?.end();
      await database.stop();
    },
  };
}

async function openCaller(socketPath: string, postgres: Partial<PostgresLimits>): Promise<StoreCaller> {
  const proxy = await FaultProxy.start(socketPath);
  const store = await createPostgresMessageStore({
    connectionString: `postgresql://parley@127.0.0.1:${proxy.port}/parley`,
    limits: DEFAULT_LIMITS,
    postgres,
    log: pino({ level: 'silent' }),
  });
  return { store, proxy };
}
