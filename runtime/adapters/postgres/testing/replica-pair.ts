import { chmodSync, cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { pino } from 'pino';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../embedded-postgres/embedded-postgres.ts';
import { migrate } from '../migrate.ts';

/** A migrated primary, and a physical replica that follows it. */
export interface ReplicaPair {
  readonly primary: EmbeddedPostgres;
  readonly replica: EmbeddedPostgres;
  stop(): Promise<void>;
}

export async function startReplicaPair(): Promise<ReplicaPair> {
  const log = pino({ level: 'silent' });
  const settings = { wal_level: 'replica', max_wal_senders: '4' };
  const folder = mkdtempSync(join(tmpdir(), 'parley-replica-'));
  const dataDir = join(folder, 'primary');
  const first = await startEmbeddedPostgres({ dataDir, log, settings });
  await migrate(first.connectionString, log);
  await first.stop();
  cpSync(join(dataDir, 'postgres'), join(folder, 'replica', 'postgres'), { recursive: true });
  // PostgreSQL wants its folder for itself, and the replica must find its way to the primary's socket.
  chmodSync(join(folder, 'replica', 'postgres'), 0o700);
  chmodSync(folder, 0o711);
  writeFileSync(join(folder, 'replica', 'postgres', 'standby.signal'), '');
  const primary = await startEmbeddedPostgres({ dataDir, log, settings });
  const { host, port } = new pg.Client({ connectionString: primary.connectionString });
  const follow = {
    primary_conninfo: `host=${host} port=${port} user=parley`,
    recovery_target_timeline: 'latest',
  };
  const replica = await startEmbeddedPostgres({
    dataDir: join(folder, 'replica'),
    log,
    settings: { ...settings, ...follow },
  });
  return {
    primary,
    replica,
    async stop() {
      await replica.stop();
      await primary.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
