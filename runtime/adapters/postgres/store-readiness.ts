import type pg from 'pg';
import { type Migration, readMigrations } from './migrate.ts';
import { inSession } from './session.ts';

/** What keeps a store from being used with this database; the message names the next step. */
export class StoreNotReadyError extends Error {
  override readonly name = 'StoreNotReadyError';
}

/**
 * Refuses a database that could lose what it acknowledged, or that lacks the schema.
 * @throws StoreNotReadyError, or the driver's error when there is no connection.
 */
export async function assertStoreReady(connectionString: string, connectTimeoutMs: number): Promise<void> {
  const name = 'parley readiness';
  await inSession(
    { connectionString, name, connectTimeoutMs, silenceMs: connectTimeoutMs },
    async (client) => {
      await assertDurable(client);
      await assertMigrated(client, readMigrations());
    },
  );
}

async function assertDurable(client: pg.Client): Promise<void> {
  const settings = await client.query<{ name: string; setting: string }>(
    `SELECT name, setting FROM pg_settings
      WHERE name IN ('fsync', 'full_page_writes', 'synchronous_commit', 'server_version_num')`,
  );
  const value = new Map(settings.rows.map((row) => [row.name, row.setting]));
  for (const name of ['fsync', 'full_page_writes', 'synchronous_commit']) {
    if (value.get(name) === 'off') {
      throw new StoreNotReadyError(
        `PostgreSQL runs with ${name} = off: it would lose acknowledged messages in a crash. ` +
          `Next: ALTER SYSTEM SET ${name} = on; SELECT pg_reload_conf();`,
      );
    }
  }
  if (Number(value.get('server_version_num')) < 150_000) {
    throw new StoreNotReadyError('PostgreSQL is older than 15. Next: update it');
  }
}

async function assertMigrated(client: pg.Client, wanted: readonly Migration[]): Promise<void> {
  const table = await client.query<{ found: string | null }>(
    "SELECT to_regclass('parley_migrations')::text AS found",
  );
  const applied = new Set<number>();
  if (table.rows[0]?.found !== null) {
    const rows = await client.query<{ version: number }>('SELECT version FROM parley_migrations');
    for (const row of rows.rows) applied.add(row.version);
  }
  const missing = wanted.filter((migration) => !applied.has(migration.version));
  if (missing.length > 0) {
    const names = missing.map((migration) => `${migration.version} (${migration.name})`).join(', ');
    throw new StoreNotReadyError(`the database lacks the migrations ${names}. Next: parley migrate`);
  }
}
