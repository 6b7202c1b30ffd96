import pg from 'pg';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { onePlacement } from '../../../core/contract/placement.ts';
import { untilReachable } from '../../roles/until-reachable.ts';
import { inspectPostgres } from './inspect-postgres.ts';
import { createPostgresMessageStore, type PostgresMessageStore } from './message-store-postgres.ts';
import type { PostgresLimits } from './postgres-limits.ts';
import { inSession } from './session.ts';
import { createShardedMessageStore } from './sharded-message-store.ts';
import { assertStoreReady } from './store-readiness.ts';
import { until } from './testing/fault-rig.ts';
import { SilentProxy } from './testing/silent-proxy.ts';
import { startTestDatabase, type TestDatabase } from './testing/test-database.ts';

/** A server that says nothing is the worst there is: whoever waits for it without a deadline waits for ever. */
const log = pino({ level: 'silent' });
const limits = { receiptMembers: 6 };
const postgres: Partial<PostgresLimits> = { connectTimeoutMs: 300, reconnectMaxMs: 20 };

let database: TestDatabase;
let proxy: SilentProxy;
let connectionString: string;
const stores: { close(): Promise<void> }[] = [];

beforeAll(async () => {
  database = await startTestDatabase();
});
afterAll(() => database.stop());
beforeEach(async () => {
  const { host } = new pg.Client({ connectionString: database.connectionString });
  proxy = await SilentProxy.start(`${host}/.s.PGSQL.5432`);
  connectionString = `postgresql://parley@127.0.0.1:${proxy.port}/parley`;
});
afterEach(async () => {
  await Promise.all(stores.splice(0).map((store) => store.close()));
  await proxy.close();
});

async function open(): Promise<PostgresMessageStore> {
  const store = await createPostgresMessageStore({ connectionString, limits, postgres, log });
  stores.push(store);
  return store;
}

const serves = (store: PostgresMessageStore): Promise<boolean> =>
  store.ping().then(
    () => true,
    () => false,
  );

test.each(['none', 'login'] as const)(
  'connections that are silent (%s) are given up and made anew',
  async (voice) => {
    const store = await open();
    const before = proxy.count;
    proxy.voice = voice;
    proxy.cutAll();
    // Each of them comes again, and again.
    await until(async () => proxy.count > before + 3 * before);
    proxy.voice = 'whole';
    await until(() => serves(store));
  },
);

test.each(['none', 'login'] as const)(
  'a store does not wait for a server that is silent (%s) at its start',
  async (voice) => {
    proxy.voice = voice;
    await expect(assertStoreReady(connectionString, 300)).rejects.toThrow(/timeout|said nothing for 300 ms/);
    await expect(open()).rejects.toThrow(/timeout|said nothing for 300 ms/);
    await expect(inspectPostgres(connectionString, 300)).rejects.toThrow(/timeout|said nothing for 300 ms/);
  },
);

test('a store that is closed waits for no goodbye, and for no connection that is not there yet', async () => {
  const store = await createPostgresMessageStore({
    connectionString,
    limits,
    postgres: { ...postgres, connectTimeoutMs: 3_600_000 },
    log,
  });
  proxy.mute();
  await store.close();
  proxy.cutAll();
  const hasty = await open();
  proxy.voice = 'none';
  proxy.cutAll();
  await until(async () => !(await serves(hasty)));
  await hasty.close();
});

test('work in a session ends when the server falls silent, and a server that works is waited for', async () => {
  const session = { connectionString, name: 'parley test', connectTimeoutMs: 300, silenceMs: 300 };
  const [row] = await inSession(
    session,
    async (client) => (await client.query('SELECT 1 AS one')).rows as object[],
  );
  expect(row).toEqual({ one: 1 });
  const silenced = inSession(session, (client) => {
    proxy.mute();
    return client.query('SELECT 1');
  });
  await expect(silenced).rejects.toThrow('PostgreSQL said nothing for 300 ms');
});

// Others have all connections: they will give them back, and nobody should have to start the role by hand.
test('a role waits for a database that has no connection to give', async () => {
  const reasons: string[] = [];
  // The first asks whether the database may be used; the store's own ones are not served.
  proxy.next.push('whole');
  proxy.voice = 'none';
  const store = await untilReachable(
    () =>
      createShardedMessageStore({
        placement: onePlacement('eu'),
        region: 'eu',
        shards: [{ name: onePlacement('eu').shards[0]?.name ?? '', connectionString }],
        limits,
        postgres,
        log,
      }),
    (reason) => {
      reasons.push(reason);
      proxy.voice = 'whole';
    },
  );
  stores.push(store);
  expect(reasons).toEqual([expect.stringMatching(/gave no \d+ connections in 300 ms/)]);
  await store.ping();
});
