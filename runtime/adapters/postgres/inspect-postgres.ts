import { readMigrations } from './migrate.ts';
import { inSession } from './session.ts';

/** What one PostgreSQL says about itself, for people who look for a fault. */
export interface PostgresReport {
  readonly version: string;
  /** `server_version_num`: 150006 is 15.6. */
  readonly versionNumber: number;
  /** Takes no writes: a replica, or set read-only. */
  readonly readOnly: boolean;
  /** Settings that decide whether an acknowledged message survives. */
  readonly settings: Readonly<Record<DurabilitySetting, string>>;
  readonly maxConnections: number;
  readonly connections: number;
  /** Room in the table of locks that all sessions share. */
  readonly lockSlots: number;
  /** Of message bodies; a statement that reads some locks all of them, and their indexes. */
  readonly bodyPartitions: number;
  /** Names of migrations of this release that were not applied. */
  readonly missing: readonly string[];
  /** The server's clock minus this machine's, milliseconds; half the round trip is unknown. */
  readonly clockAheadMs: number;
  readonly roundTripMs: number;
}

export const DURABILITY_SETTINGS = [
  'fsync',
  'full_page_writes',
  'synchronous_commit',
  'synchronous_standby_names',
] as const;
export type DurabilitySetting = (typeof DURABILITY_SETTINGS)[number];

const ABOUT = `
  SELECT current_setting('server_version') AS version, current_setting('server_version_num')::int AS number,
         current_setting('transaction_read_only') = 'on' OR pg_is_in_recovery() AS read_only,
         current_setting('max_connections')::int AS max_connections,
         (SELECT count(*)::int FROM pg_stat_activity WHERE backend_type = 'client backend') AS connections,
         current_setting('max_locks_per_transaction')::int
           * (current_setting('max_connections')::int + current_setting('max_prepared_transactions')::int) AS lock_slots,
         (SELECT count(*)::int FROM pg_inherits WHERE inhparent = to_regclass('bodies')) AS body_partitions,
         to_regclass('parley_migrations') IS NOT NULL AS migrated,
         (SELECT jsonb_object_agg(name, setting) FROM pg_settings WHERE name = ANY ($1)) AS settings`;

interface About {
  readonly version: string;
  readonly number: number;
  readonly read_only: boolean;
  readonly max_connections: number;
  readonly connections: number;
  readonly lock_slots: number;
  readonly body_partitions: number;
  readonly migrated: boolean;
  readonly settings: Record<DurabilitySetting, string>;
}

/** @throws the driver's error when the server does not answer in time or refuses. @param timeoutMs of each question. */
export async function inspectPostgres(connectionString: string, timeoutMs: number): Promise<PostgresReport> {
  const session = {
    connectionString,
    name: 'parley doctor',
    connectTimeoutMs: timeoutMs,
    silenceMs: timeoutMs,
  };
  return inSession(session, async (client) => {
    const [about] = (await client.query<About>(ABOUT, [DURABILITY_SETTINGS])).rows as [About];
    const applied = new Set<number>();
    if (about.migrated) {
      const { rows } = await client.query<{ version: number }>('SELECT version FROM parley_migrations');
      for (const { version } of rows) applied.add(version);
    }
    const asked = Date.now();
    const clock = await client.query<{ now: string }>(
      'SELECT (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS now',
    );
    const answered = Date.now();
    return {
      version: about.version,
      versionNumber: about.number,
      readOnly: about.read_only,
      settings: about.settings,
      maxConnections: about.max_connections,
      connections: about.connections,
      lockSlots: about.lock_slots,
      bodyPartitions: about.body_partitions,
      missing: readMigrations()
        .filter(({ version }) => !applied.has(version))
        .map(({ version, name }) => `${version} (${name})`),
      clockAheadMs: Math.round(Number(clock.rows[0]?.now) - (asked + answered) / 2),
      roundTripMs: answered - asked,
    };
  });
}
