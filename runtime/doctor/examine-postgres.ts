import { inspectPostgres, type PostgresReport } from '../adapters/postgres/inspect-postgres.ts';
import type { Config } from '../config/load-config.ts';
import type { ShardConfig } from '../config/regions-schema.ts';
import { broken, clockFindings, ok, warning, type Examination, type Finding } from './finding.ts';

const OLDEST = 150_000;
/** Share of max_connections in use that leaves too little for a rolling update, which doubles a role for a while. */
const CROWDED = 0.8;

export function examinePostgres(
  shard: ShardConfig,
  region: string,
  config: Config,
  timeoutMs: number,
): Examination {
  const { host } = new URL(shard.url);
  return {
    subject: `PostgreSQL shard ${shard.name}`,
    region,
    next: `look whether ${host} runs and may be reached from here: psql -h ${host.split(':')[0]}`,
    async run() {
      const report = await inspectPostgres(shard.url, timeoutMs);
      const findings = [...refusals(report), ...cautions(report, config)];
      const { version, maxConnections, connections, roundTripMs } = report;
      const summary = `${version}, ${connections} of ${maxConnections} connections, ${roundTripMs} ms away`;
      return [ok(summary), ...findings, ...clockFindings(report.clockAheadMs, roundTripMs)];
    },
  };
}

type Note = Pick<Finding, 'verdict' | 'detail' | 'next'>;

function refusals({ versionNumber, version, readOnly, settings, missing }: PostgresReport): readonly Note[] {
  const notes: Note[] = [];
  if (versionNumber < OLDEST) notes.push(broken(`version ${version} is older than 15`, 'update PostgreSQL'));
  if (readOnly)
    notes.push(broken('takes no writes: a replica, or read-only', 'let the URL name the primary'));
  for (const name of ['fsync', 'full_page_writes', 'synchronous_commit'] as const) {
    if (settings[name] !== 'off') continue;
    const next = `ALTER SYSTEM SET ${name} = on; SELECT pg_reload_conf();`;
    notes.push(broken(`${name} is off: a crash would lose acknowledged messages`, next));
  }
  if (missing.length > 0) notes.push(broken(`lacks the migrations ${missing.join(', ')}`, 'parley migrate'));
  return notes;
}

function cautions(report: PostgresReport, { tokens }: Config): readonly Note[] {
  const { settings, connections, maxConnections, bodyPartitions, lockSlots } = report;
  const notes: Note[] = [];
  if (settings.synchronous_standby_names === '' && tokens.development === undefined)
    notes.push(
      warning(
        'no synchronous standby: the loss of its disk loses acknowledged messages',
        'set synchronous_standby_names (docs/operating.md), unless the disk itself is replicated',
      ),
    );
  if (settings.synchronous_commit === 'local' && settings.synchronous_standby_names !== '')
    notes.push(
      warning(
        'synchronous_commit is local: acknowledged messages are not on the standby yet',
        'ALTER SYSTEM SET synchronous_commit = on; SELECT pg_reload_conf();',
      ),
    );
  if (connections > maxConnections * CROWDED)
    notes.push(
      warning(
        `${connections} of ${maxConnections} connections are in use`,
        'raise max_connections, or run fewer processes',
      ),
    );
  // Each partition and its index.
  const locks = 2 * bodyPartitions * connections;
  if (locks > lockSlots)
    notes.push(
      warning(
        `${bodyPartitions} partitions of message bodies: reads of all ${connections} connections at once lock ${locks} things, ` +
          `and there is room for ${lockSlots}`,
        'raise max_locks_per_transaction (it needs a restart), or keep messages for less long',
      ),
    );
  return notes;
}
