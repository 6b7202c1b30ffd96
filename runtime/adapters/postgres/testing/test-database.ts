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

/** A migrated database of its own for one test file, in a folder that is removed with it. */
export async function startTestDatabase(): Promise<TestDatabase> {
  const log = pino({ level: 'silent' });
  const dataDir = mkdtempSync(join(tmpdir(), 'parley-test-'));
  const postgres = await startEmbeddedPostgres({ dataDir, log });
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
