import pg from 'pg';
import { pino } from 'pino';
import { createPlacement, type Placement, SLOTS } from '../../../../core/contract/placement.ts';
import { migrate } from '../migrate.ts';
import { createShardedMessageStore, type ShardedStoreOptions } from '../sharded-message-store.ts';
import { startTestDatabase, type TestDatabase } from './test-database.ts';

const log = pino({ level: 'silent' });

/** Several migrated databases of one server, as shards. For tests. */
export interface TestShards {
  readonly database: TestDatabase;
  /** Connection strings by shard name: `s0`, `s1`, … */
  readonly addresses: readonly { readonly name: string; readonly connectionString: string }[];
  stop(): Promise<void>;
}

export async function startTestShards(count: number): Promise<TestShards> {
  const database = await startTestDatabase();
  const client = new pg.Client({ connectionString: database.connectionString });
  await client.connect();
  const addresses: { name: string; connectionString: string }[] = [];
  try {
    for (let i = 0; i < count; i++) {
      await client.query(`CREATE DATABASE shard_${i}`);
      const connectionString = database.connectionString.replace('/parley?', `/shard_${i}?`);
      await migrate(connectionString, log);
      addresses.push({ name: `s${i}`, connectionString });
    }
  } finally {
    await client.end();
  }
  return { database, addresses, stop: () => database.stop() };
}

/** Slots dealt to shards `s0`, `s1`, …, by turns; shard i lies in `regions[i]`. */
export function placementOf(regions: readonly string[]): Placement {
  return createPlacement(
    regions.map((region, shard) => {
      const slots: [number, number][] = [];
      for (let slot = shard; slot < SLOTS; slot += regions.length) slots.push([slot, slot]);
      return { name: `s${shard}`, region, slots };
    }),
  );
}

/** Opens a sharded store in region `here`, unless the options say another, with what a test does not care about. */
export function openShardedStore(
  options: Pick<ShardedStoreOptions, 'placement' | 'shards'> & Partial<ShardedStoreOptions>,
): ReturnType<typeof createShardedMessageStore> {
  return createShardedMessageStore({ region: 'here', limits: { receiptMembers: 6 }, log, ...options });
}
