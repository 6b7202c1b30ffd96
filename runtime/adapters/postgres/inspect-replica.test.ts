import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ReplicaPair, startReplicaPair } from './testing/replica-pair.ts';
import { startTestDatabase, type TestDatabase } from './testing/test-database.ts';
import { examineReplica } from '../../doctor/examine-replica.ts';
import { findingsOf } from '../../doctor/examine.ts';
import type { Finding } from '../../doctor/finding.ts';

let pair: ReplicaPair;
let other: TestDatabase;
beforeAll(async () => {
  [pair, other] = await Promise.all([startReplicaPair(), startTestDatabase()]);
});
afterAll(async () => {
  await Promise.all([pair?.stop(), other?.stop()]);
});

async function findings(replicaUrl: string): Promise<readonly Finding[]> {
  // A URL of a configuration names a host; the embedded server's socket wins over it.
  const named = (url: string): string => url.replace('@/', '@localhost/');
  const shard = {
    name: 's0',
    url: named(pair.primary.connectionString),
    replicaUrl: named(replicaUrl),
    slots: [[0, 1023] as [number, number]],
  };
  const all = await Promise.all(examineReplica(shard, 'eu', 3_000).map((each) => findingsOf(each, 3_000)));
  return all.flat();
}

async function on(connectionString: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  await client.query(sql);
  await client.end();
}

test('a replica that follows is well, and one that replays no more is named with its distance', async () => {
  const { primary, replica } = pair;
  expect((await findings(replica.connectionString)).map(({ verdict }) => verdict)).toEqual(['ok']);
  await on(replica.connectionString, 'SELECT pg_wal_replay_pause()');
  await on(primary.connectionString, 'CREATE TABLE unseen AS SELECT generate_series(1, 10000)');
  const [summary] = await findings(replica.connectionString);
  expect(summary?.detail).toMatch(/, [1-9]\d{4,} bytes behind,/);
  await on(replica.connectionString, 'SELECT pg_wal_replay_resume()');
});

test('a copy of another database is refused, and so is one that was promoted', async () => {
  const stranger = await findings(other.connectionString);
  expect(stranger).toContainEqual(
    expect.objectContaining({
      verdict: 'broken',
      detail: expect.stringContaining('another database') as string,
    }),
  );
  await on(pair.replica.connectionString, 'SELECT pg_promote()');
  const promoted = await findings(pair.replica.connectionString);
  expect(promoted).toContainEqual(
    expect.objectContaining({
      verdict: 'broken',
      detail: expect.stringContaining('follows nobody') as string,
    }),
  );
});

test('a replica that is away is broken, and says where history comes from until then', async () => {
  const [only] = await findings('postgresql://parley@127.0.0.1:1/parley');
  expect(only).toMatchObject({
    verdict: 'broken',
    next: expect.stringContaining('from the primary') as string,
  });
});
