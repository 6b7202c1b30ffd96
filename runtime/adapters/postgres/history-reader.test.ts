import pg from 'pg';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { FetchRequest, FetchResult } from '../../../core/contract/store.ts';
import type { EmbeddedPostgres } from '../embedded-postgres/embedded-postgres.ts';
import { StoreUnderTest, type TestChat } from './contract/store-under-test.ts';
import { createPostgresMessageStore, type PostgresMessageStore } from './message-store-postgres.ts';
import { FaultProxy } from './testing/fault-proxy.ts';
import { until } from './testing/fault-rig.ts';
import { type ReplicaPair, startReplicaPair } from './testing/replica-pair.ts';

/** A primary behind a proxy, and a replica that follows it. */
const log = pino({ level: 'silent' });

let pair: ReplicaPair;
let replica: EmbeddedPostgres;
let proxy: FaultProxy;
let store: PostgresMessageStore;
let s: StoreUnderTest;

beforeAll(async () => {
  pair = await startReplicaPair();
  replica = pair.replica;
  const { host, port } = new pg.Client({ connectionString: pair.primary.connectionString });
  proxy = await FaultProxy.start(`${host}/.s.PGSQL.${port}`);
  store = await createPostgresMessageStore({
    connectionString: `postgresql://parley@127.0.0.1:${proxy.port}/parley`,
    replicaConnectionString: replica.connectionString,
    limits: { receiptMembers: 6 },
    postgres: { connectPatienceMs: 100 },
    log,
  });
  s = await StoreUnderTest.of(store);
});
afterAll(async () => {
  await store?.close();
  await proxy?.close();
  await pair?.stop();
});

const history = (chat: TestChat, limit: number, bytes = 1_000_000): Promise<FetchResult> => {
  const request: FetchRequest = { userId: chat.users[0]!, chatId: chat.chatId, afterSeq: 0, limit, bytes };
  return new Promise((resolve) => store.fetchHistory(request, resolve));
};

async function onReplica(sql: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: replica.connectionString });
  await client.connect();
  return client.query(sql).then(({ rows }) => client.end().then(() => rows as Record<string, unknown>[]));
}

test('a full page of history comes from the replica, what it lacks from the primary', async () => {
  const chat = await s.chat(2);
  const old = await s.appendSome(chat, 3);
  const seen = `SELECT FROM messages WHERE chat_id = ${chat.chatId.slice(2)}`;
  await until(async () => (await onReplica(seen)).length === 3);
  await onReplica('SELECT pg_wal_replay_pause()');
  const fresh = await s.appendSome(chat, 2);
  expect(await history(chat, 3)).toMatchObject({ outcome: 'ok', messages: old, head: 3 });
  expect(await history(chat, 5)).toMatchObject({ outcome: 'ok', messages: [...old, ...fresh], head: 5 });
  expect(await history(chat, 9)).toMatchObject({ outcome: 'ok', messages: [...old, ...fresh], head: 5 });

  // Full by its size: a page of the replica as well.
  expect(await history(chat, 9, 2 * old[0]!.ciphertext.length)).toMatchObject({
    messages: old.slice(0, 2),
    more: true,
    head: 3,
  });

  const { port } = proxy;
  await proxy.close();
  expect(await history(chat, 3)).toMatchObject({ outcome: 'ok', messages: old });
  expect(await history(chat, 4)).toEqual({ outcome: 'failed' });
  await proxy.listen(port);
  await until(async () => (await history(chat, 4)).outcome === 'ok');
  await onReplica('SELECT pg_wal_replay_resume()');
});

test('without its replica history comes from the primary', async () => {
  const chat = await s.chat(2);
  const sent = await s.appendSome(chat, 3);
  await replica.stop();
  expect(await history(chat, 3)).toMatchObject({ outcome: 'ok', messages: sent, head: 3 });
});
