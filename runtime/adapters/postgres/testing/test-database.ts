import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../embedded-postgres/embedded-postgres.ts';
import { migrate } from '../migrate.ts';

export interface TestDatabase {
  readonly connectionString: string;
  readonly postgres: EmbeddedPostgres;
  stop(): Promise<void>;
}

/**
 * A migrated database of its own for one test file, in a folder that is removed with it.
 * @param settings of PostgreSQL, over the usual ones.
 */
export async function startTestDatabase(
  settings: Readonly<Record<string, string>> = {},
): Promise<TestDatabase> {
  const log = pino({ level: 'silent' });
  const dataDir = mkdtempSync(join(tmpdir(), 'parley-test-'));
  const postgres = await startEmbeddedPostgres({ dataDir, log, settings });
  await migrate(postgres.connectionString, log);
  return {
    connectionString: postgres.connectionString,
    postgres,
    stop: async () => {
      await postgres.stop();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}
