import pg from 'pg';
import type { Logger } from 'pino';
import { DEFAULT_LIMITS } from '../../../core/contract/limits.ts';
import { startEmbeddedPostgres } from '../embedded-postgres/embedded-postgres.ts';
import { benchStore } from './bench-store.ts';
import { createPostgresMessageStore } from './message-store-postgres.ts';
import { migrate } from './migrate.ts';

export interface StoreSizes {
  readonly messages: number;
  /** Of its row, its body and the indexes of both. */
  readonly bytesPerMessage: number;
  /** The part of that which `retention.messageDays` takes away again. */
  readonly bytesPerBody: number;
  /** Written to the log, which replicas and archives get too. */
  readonly walBytesPerMessage: number;
}

const CHATS = 256;

const SIZES = `
  SELECT (SELECT count(*)::int FROM messages) AS messages,
         pg_total_relation_size('messages')::float8 AS rows,
         (SELECT coalesce(sum(pg_total_relation_size(inhrelid)), 0)::float8 FROM pg_inherits WHERE inhparent = 'bodies'::regclass) AS bodies,
         pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::float8 AS wal`;

interface Sizes {
  readonly messages: number;
  readonly rows: number;
  readonly bodies: number;
  readonly wal: number;
}

/** Measures what messages take on disk, in a PostgreSQL of its own. @param messageBytes of a ciphertext. */
export async function benchSizes(options: {
  readonly dataDir: string;
  readonly seconds: number;
  readonly messageBytes: number;
  readonly log: Logger;
}): Promise<StoreSizes> {
  const { dataDir, seconds, messageBytes, log } = options;
  const postgres = await startEmbeddedPostgres({ dataDir, log });
  try {
    const { connectionString } = postgres;
    await migrate(connectionString, log);
    const store = await createPostgresMessageStore({ connectionString, limits: DEFAULT_LIMITS, log });
    const before = await sizesOf(connectionString);
    await benchStore(store, {
      concurrencies: [CHATS],
      secondsEach: seconds,
      messageBytes,
      onResult: () => undefined,
    });
    await store.close();
    const after = await sizesOf(connectionString);
    const messages = after.messages - before.messages;
    return {
      messages,
      bytesPerMessage: (after.rows - before.rows + after.bodies - before.bodies) / messages,
      bytesPerBody: (after.bodies - before.bodies) / messages,
      walBytesPerMessage: (after.wal - before.wal) / messages,
    };
  } finally {
    await postgres.stop();
  }
}

async function sizesOf(connectionString: string): Promise<Sizes> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  try {
    const [sizes] = (await client.query<Sizes>(SIZES)).rows as [Sizes];
    return sizes;
  } finally {
    await client.end();
  }
}
