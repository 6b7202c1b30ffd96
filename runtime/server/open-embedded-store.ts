import type { Logger } from 'pino';
import type { Limits } from '../../core/contract/limits.ts';
import { DataFolderInUseError } from '../adapters/embedded-postgres/data-folder-lock.ts';
import { startEmbeddedPostgres } from '../adapters/embedded-postgres/embedded-postgres.ts';
import { createPostgresMessageStore } from '../adapters/postgres/message-store-postgres.ts';
import { postgresOutbox } from '../adapters/postgres/outbox-ownership.ts';
import { migrate } from '../adapters/postgres/migrate.ts';
import type { Metrics } from '../observability/metrics.ts';
import type { MessageStore } from '../ports/message-store.ts';
import type { Outbox } from '../ports/outbox.ts';
import { StartError } from './start-error.ts';
import { storeMetrics } from './store-metrics.ts';

export interface EmbeddedStoreOptions {
  readonly dataDir: string;
  readonly limits: Limits;
  readonly log: Logger;
  readonly metrics?: Metrics;
}

/** The store of a single process, and the outbox of its one shard. */
export interface EmbeddedStore extends MessageStore {
  readonly outbox: Outbox;
}

/**
 * The message store of a single process: a PostgreSQL of its own, which ends with `close`.
 * @throws StartError when another server has the data folder.
 */
export async function openEmbeddedStore(options: EmbeddedStoreOptions): Promise<EmbeddedStore> {
  const { dataDir, limits, log, metrics } = options;
  const postgres = await startEmbeddedPostgres({ dataDir, log }).catch((error: unknown) => {
    throw startError(dataDir, error);
  });
  try {
    await migrate(postgres.connectionString, log);
    const store = await createPostgresMessageStore({
      connectionString: postgres.connectionString,
      limits,
      log,
      ...(metrics === undefined ? {} : { metrics: storeMetrics(metrics) }),
    });
    const { connectionString } = postgres;
    return {
      ...store,
      outbox: postgresOutbox({ shard: 'only', connectionString, store, log }),
      async close() {
        await store.close();
        await postgres.stop();
      },
    };
  } catch (error) {
    await postgres.stop();
    throw error;
  }
}

function startError(dataDir: string, error: unknown): StartError {
  if (error instanceof DataFolderInUseError) {
    const message = `the data folder ${dataDir} is in use by another server, process ${error.pid}`;
    return new StartError(
      'data-in-use',
      message,
      `kill ${error.pid}, or DATA=./other-data PORT=8081 make run`,
      error,
    );
  }
  const reason = error instanceof Error ? error.message : String(error);
  return new StartError('store-unavailable', `PostgreSQL cannot run: ${reason}`, undefined, error);
}
