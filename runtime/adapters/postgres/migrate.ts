import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import type pg from 'pg';
import type { Logger } from 'pino';
import { makeBodyPartitions } from './body-partitions.ts';
import { inSession } from './session.ts';

/**
 * Forward-only migrations: the files runtime/deploy/migrations/NNNN_name.sql, each in a transaction of its own together
 * with its record. Any number of processes may run this at once: an advisory lock, held until the end of each
 * transaction (so it also works through a transaction pooler), lets one at a time look and apply.
 */
export interface Migration {
  readonly version: number;
  readonly name: string;
  readonly sql: string;
  /** SHA-256 of the file, hexadecimal. */
  readonly checksum: string;
}

export class MigrationError extends Error {
  override readonly name = 'MigrationError';
}

/** "parley", read as a number: no other program on the same database is likely to lock this key. */
const LOCK_KEY = 0x70_61_72_6c_65_79;

const CONNECT_TIMEOUT_MS = 10_000;
/** The longest that one migration may take, and the wait for those of others. */
const SILENCE_MS = 30 * 60_000;

const FILE = /^(\d{4})_([a-z0-9_]+)\.sql$/;

/**
 * Brings a database's schema to the newest version this code knows. One that is newer already, from a later release, is
 * left alone: during a rolling update both run. Then makes the partitions of the next days.
 * @throws MigrationError when a file was changed after it had been applied, or its SQL fails.
 */
export async function migrate(connectionString: string, log: Logger): Promise<void> {
  const session = {
    connectionString,
    name: 'parley migrate',
    connectTimeoutMs: CONNECT_TIMEOUT_MS,
    silenceMs: SILENCE_MS,
  };
  await inSession(session, async (client) => {
    for (const migration of readMigrations()) await applyOnce(client, migration, log);
    // Of a day each: how long messages are to be kept is not known here, and too small is only too many.
    await makeBodyPartitions(client, Date.now(), 1);
  });
}

/** @returns the migrations of this release, ascending and without a gap. */
export function readMigrations(): readonly Migration[] {
  const folder = new URL('../../deploy/migrations/', import.meta.url);
  const migrations: Migration[] = [];
  for (const file of readdirSync(folder).sort()) {
    const match = FILE.exec(file);
    if (match === null) continue;
    const sql = readFileSync(new URL(file, folder), 'utf8');
    const checksum = createHash('sha256').update(sql).digest('hex');
    const version = Number(match[1]);
    if (version !== migrations.length + 1)
      throw new MigrationError(`migrations: expected number ${migrations.length + 1}, found ${file}`);
    migrations.push({ version, name: match[2] ?? '', sql, checksum });
  }
  return migrations;
}

async function applyOnce(client: pg.Client, migration: Migration, log: Logger): Promise<void> {
  await client.query('BEGIN');
  try {
    await client.query('SELECT pg_advisory_xact_lock($1)', [LOCK_KEY]);
    await client.query(`
      CREATE TABLE IF NOT EXISTS parley_migrations (
        version    integer PRIMARY KEY,
        name       text NOT NULL,
        checksum   text NOT NULL,
        applied_at timestamptz NOT NULL DEFAULT now()
      )`);
    const found = await client.query<{ checksum: string }>(
      'SELECT checksum FROM parley_migrations WHERE version = $1',
      [migration.version],
    );
    const applied = found.rows[0];
    if (applied === undefined) await apply(client, migration, log);
    else if (applied.checksum !== migration.checksum) throw changed(migration);
    await client.query('COMMIT');
  } catch (error) {
    await client.query('ROLLBACK').catch(() => {});
    throw error;
  }
}

async function apply(client: pg.Client, migration: Migration, log: Logger): Promise<void> {
  const { version, name } = migration;
  const startedAt = performance.now();
  try {
    await client.query(migration.sql);
  } catch (cause) {
    throw new MigrationError(
      `migration ${version} (${name}) failed: ${cause instanceof Error ? cause.message : 'unknown'}`,
      { cause },
    );
  }
  await client.query('INSERT INTO parley_migrations (version, name, checksum) VALUES ($1, $2, $3)', [
    version,
    name,
    migration.checksum,
  ]);
  log.info({ version, name, ms: Math.round(performance.now() - startedAt) }, 'migration applied');
}

function changed({ version, name }: Migration): MigrationError {
  return new MigrationError(
    `migration ${version} (${name}) is not the one that was applied to this database. ` +
      'Next: restore the file as released and put the change in a migration of its own',
  );
}
