import { randomInt } from 'node:crypto';
import pg from 'pg';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { shardOf } from '../../../core/contract/placement.ts';
import { readServiceState, servicesFolder } from '../../deploy/services/service-state.ts';
import type { MessageStore } from '../../ports/message-store.ts';
import { messageStoreContract } from './message-store.contract.ts';
import { migrate } from './migrate.ts';
import type { ShardedMessageStore } from './sharded-message-store.ts';
import { gatheredStore } from './testing/gathered-store.ts';
import { openShardedStore, placementOf } from './testing/test-shards.ts';

/** The contract on servers of their own, as `parley services up` starts them: databases of this run alone. */
const PLACEMENT = placementOf(['here', 'here']);
const DATABASE = `contract_${process.pid}_${randomInt(1e6)}`;

let servers: readonly string[];
let store: ShardedMessageStore;
let gathered: MessageStore;

async function onEach(sql: string): Promise<void> {
  for (const connectionString of servers) {
    const client = new pg.Client({ connectionString });
    await client.connect();
    try {
      await client.query(sql);
    } finally {
      await client.end();
    }
  }
}

beforeAll(async () => {
  const [region] = readServiceState(servicesFolder(undefined))?.regions ?? [];
  if (region === undefined || region.postgres.length < 2)
    throw new Error('there are no two PostgreSQL servers. Next: parley services up --only postgres');
  servers = region.postgres.slice(0, 2);
  await onEach(`CREATE DATABASE ${DATABASE}`);
  const shards = servers.map((url, i) => {
    const own = new URL(url);
    own.pathname = `/${DATABASE}`;
    return { name: `s${i}`, connectionString: own.href };
  });
  const log = pino({ level: 'silent' });
  for (const { connectionString } of shards) await migrate(connectionString, log);
  store = await openShardedStore({ placement: PLACEMENT, shards });
  gathered = gatheredStore(store);
});
afterAll(async () => {
  await store.close();
  await onEach(`DROP DATABASE ${DATABASE} WITH (FORCE)`);
});

describe('the message store over two servers', () => {
  test('both serve', () => {
    expect(store.health().map(({ state }) => state)).toEqual(['serving', 'serving']);
  });
  for (const { name, run } of messageStoreContract(
    async () => gathered,
    6,
    (id) => shardOf(PLACEMENT, id),
  ))
    test(name, run);
});
