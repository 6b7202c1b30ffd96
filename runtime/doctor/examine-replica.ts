import { inspectReplica } from '../adapters/postgres/inspect-replica.ts';
import type { ShardConfig } from '../config/regions-schema.ts';
import { broken, ok, warning, type Examination, type Finding } from './finding.ts';

/** Behind by more, a page of history that is not full is read twice, and a reader waits for the slower of two servers. */
const LATE_MS = 10_000;
const MIB = 1024 ** 2;

/** The replica that history is read from: it may be late, but it must be this primary's. */
export function examineReplica(
  shard: ShardConfig,
  region: string,
  timeoutMs: number,
): readonly Examination[] {
  const { name, url, replicaUrl } = shard;
  if (replicaUrl === undefined) return [];
  return [
    {
      subject: `replica of PostgreSQL shard ${name}`,
      region,
      next: `look whether ${new URL(replicaUrl).host} runs and may be reached from here. Until then history comes from the primary`,
      async run() {
        const report = await inspectReplica({ primary: url, replica: replicaUrl }, timeoutMs);
        const { version, behindBytes, behindMs, roundTripMs } = report;
        const summary = `${version}, ${behindBytes} bytes behind, ${roundTripMs} ms away`;
        const notes: Pick<Finding, 'verdict' | 'detail' | 'next'>[] = [ok(summary)];
        if (!report.sameSystem)
          notes.push(
            broken(
              'it is a copy of another database: history would be somebody else’s',
              'correct replicaUrl',
            ),
          );
        else if (!report.follows)
          notes.push(
            broken(
              'it follows nobody: what is written after it was promoted is missing in its history',
              'let replicaUrl name a standby of this primary, or leave it out',
            ),
          );
        else if (behindMs !== undefined && behindMs > LATE_MS)
          notes.push(
            warning(
              `it is ${Math.round(behindMs / 1_000)} s and ${(behindBytes / MIB).toFixed(1)} MiB behind`,
              'look at its disk and at long queries on it: SELECT * FROM pg_stat_wal_receiver',
            ),
          );
        return notes;
      },
    },
  ];
}
