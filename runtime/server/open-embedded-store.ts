import type { Logger } from 'pino';
import type { Limits } from '../../core/contract/limits.ts';
import { DataFolderInUseError } from '../adapters/embedded-postgres/data-folder-lock.ts';
import { startEmbeddedPostgres } from '../adapters/embedded-postgres/embedded-postgres.ts';
import { createPostgresMessageStore } from '../adapters/postgres/message-store-postgres.ts';
import { migrate } from '../adapters/postgres/migrate.ts';
import type { MessageStore } from '../ports/message-store.ts';
import { StartError } from './start-error.ts';

export interface EmbeddedStoreOptions {
  readonly dataDir: string;
  readonly limits: Limits;
  readonly log: Logger;
}

/**
 * The message store of a single process: a PostgreSQL of its own, which ends with `close`.
 * @throws StartError when another server has the data folder.
 */
export async function openEmbeddedStore({
  dataDir,
  limits,
  log,
}: EmbeddedStoreOptions): Promise<MessageStore> {
  const postgres = await startEmbeddedPostgres({ dataDir, log }).catch((error: unknown) => {
    if (error instanceof DataFolderInUseError) {
      throw new StartError('data-in-use', error.message, 'PORT=8081 DATA=./other-data make run', error);
    }
    throw error;
  });
  try {
    await migrate(postgres.connectionString, log);
    const store = await createPostgresMessageStore({
      connectionString: postgres.connectionString,
      limits,
      log,
    });
    return {
      ...store,
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
