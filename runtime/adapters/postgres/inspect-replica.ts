import pg from 'pg';

/** What a replica says about itself and its primary, for people who look for a fault. */
export interface ReplicaReport {
  readonly version: string;
  /** Follows a primary; a server that takes writes of its own is nobody's replica. */
  readonly follows: boolean;
  /** It is a copy of this primary, and not of some other database. */
  readonly sameSystem: boolean;
  /** Bytes of the log that the primary has and the replica has not replayed. */
  readonly behindBytes: number;
  /** Since the last change that it replayed, milliseconds; undefined while it has replayed all that it got, or nothing yet. */
  readonly behindMs: number | undefined;
  readonly roundTripMs: number;
}

interface Told {
  readonly version: string;
  readonly follows: boolean;
  readonly system: string;
  /** Of the log: written by a primary, replayed by a replica. */
  readonly at: string;
  readonly behind_ms: number | null;
}

const ABOUT = `
  SELECT current_setting('server_version') AS version, pg_is_in_recovery() AS follows,
         (SELECT system_identifier::text FROM pg_control_system()) AS system,
         coalesce(CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END, '0/0')::text AS at,
         CASE WHEN pg_is_in_recovery() AND pg_last_wal_receive_lsn() IS DISTINCT FROM pg_last_wal_replay_lsn()
              THEN (extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp()) * 1000)::float8 END AS behind_ms`;

/** @throws the driver's error when one of the two does not answer in time. @param timeoutMs of each question. */
export async function inspectReplica(
  { primary, replica }: { readonly primary: string; readonly replica: string },
  timeoutMs: number,
): Promise<ReplicaReport> {
  // The primary first: what it writes meanwhile must not count as ahead of the replica.
  const { told: first } = await ask(primary, timeoutMs);
  const { told, roundTripMs } = await ask(replica, timeoutMs);
  return {
    version: told.version,
    follows: told.follows,
    sameSystem: told.system === first.system,
    behindBytes: Math.max(0, position(first.at) - position(told.at)),
    behindMs: told.behind_ms === null ? undefined : Math.round(told.behind_ms),
    roundTripMs,
  };
}

async function ask(
  connectionString: string,
  timeoutMs: number,
): Promise<{ told: Told; roundTripMs: number }> {
  const client = new pg.Client({
    connectionString,
    application_name: 'parley doctor',
    connectionTimeoutMillis: timeoutMs,
    query_timeout: timeoutMs,
  });
  client.on('error', () => {}); // reported by the query that was under way
  await client.connect();
  try {
    const asked = Date.now();
    const [told] = (await client.query<Told>(ABOUT)).rows as [Told];
    return { told, roundTripMs: Date.now() - asked };
  } finally {
    await client.end();
  }
}

/** A place in the log, `16/B374D848`, in bytes from its beginning. */
function position(lsn: string): number {
  const [high = '0', low = '0'] = lsn.split('/');
  return Number.parseInt(high, 16) * 2 ** 32 + Number.parseInt(low, 16);
}
