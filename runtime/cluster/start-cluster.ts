import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeDevelopmentCertificates } from '../adapters/grpc/development-certificates.ts';
import type { LinkFiles } from '../adapters/grpc/link-security.ts';
import { createDatabase } from '../adapters/postgres/create-database.ts';
import { loadConfig } from '../config/load-config.ts';
import { createLogger } from '../observability/logger.ts';
import { migrateDeployment } from '../roles/migrate-deployment.ts';
import { configOf, type ClusterPlan, type PlannedProcess } from './cluster-plan.ts';
import { takenOf } from './free-ports.ts';
import { endProcess, launch, untilAcquainted, untilReady } from './cluster-process.ts';
import { living, readClusterState, writeClusterState, type ClusterProcess } from './cluster-state.ts';

export interface StartClusterOptions {
  readonly plan: ClusterPlan;
  readonly record?: string | undefined;
  /** Group ids by region, see `launch`. */
  readonly groups?: Readonly<Record<string, number>>;
  readonly say: (line: string) => void;
}

const READY_MS = 90_000;

/**
 * Starts what is missing of a cluster: certificates, databases, schema and topics, processes; and waits until all are ready.
 * @throws Error that says which step failed and why; what was started is ended again.
 */
export async function startCluster(options: StartClusterOptions): Promise<readonly ClusterProcess[]> {
  const { plan, record, groups = {}, say } = options;
  const { folder, regions, processes } = plan;
  const before = living(readClusterState(folder));
  const missing = processes.filter(({ name }) => !before.some((member) => member.name === name));
  if (missing.length === 0) return before;

  await assertPortsFree(missing);

  const certificates = await makeDevelopmentCertificates({
    folder: join(folder, 'certificates'),
    nodes: processes.map(({ name, role }) => ({ name, role })),
    now: Date.now(),
  });
  const configFor = (process: PlannedProcess): object =>
    configOf(plan, process, certificates.get(process.name) as LinkFiles);
  await prepareEngines(plan, configFor(processes[0] as PlannedProcess), say);

  say(`Starting ${missing.length} processes …`);
  const started = missing.map((process) =>
    launch({ folder, process, config: configFor(process), record, gid: groups[process.region] }),
  );
  const all = [...before, ...started];
  writeClusterState({ folder, regions, processes: all });
  const deadline = performance.now() + READY_MS;
  try {
    await Promise.all(started.map((member) => untilReady(member, deadline)));
    await Promise.all(all.map((member) => untilAcquainted(member, all.length)));
  } catch (error) {
    await Promise.all(started.map((member) => endProcess(member, 'SIGKILL', 5_000)));
    writeClusterState({ folder, regions, processes: before });
    throw error;
  }
  return all;
}

/** Somebody else has ports of the plan: with other ports it may work. */
export class PortsTaken extends Error {
  override readonly name = 'PortsTaken';
}

/** @throws PortsTaken that names every one: the processes would only say so one by one, in their logs. */
async function assertPortsFree(planned: readonly PlannedProcess[]): Promise<void> {
  const taken = await takenOf(planned.flatMap(({ httpPort, linkPort }) => [httpPort, linkPort]));
  if (taken.length > 0)
    throw new PortsTaken(
      `port ${taken.join(', ')} is in use by another process; another --port gives other ports`,
    );
}

/** Databases, schema and topics, of all regions. */
async function prepareEngines(plan: ClusterPlan, raw: object, say: (line: string) => void): Promise<void> {
  mkdirSync(plan.folder, { recursive: true });
  const path = join(plan.folder, 'migrate.json');
  writeFileSync(path, JSON.stringify(raw), { mode: 0o600 });
  const config = loadConfig({ path, environment: {} });
  say('Preparing databases and topics …');
  for (const { postgres } of config.regions)
    for (const { name, url } of postgres.shards)
      await createDatabase(url).catch((error: unknown) => {
        throw new Error(`shard ${name}: ${error instanceof Error ? error.message : String(error)}`, {
          cause: error,
        });
      });
  const steps = await migrateDeployment({
    config,
    everywhere: true,
    log: createLogger('error', 'cluster'),
    onStep: () => undefined,
  });
  const wrong = steps.filter(({ outcome }) => outcome === 'failed' || outcome === 'differs');
  if (wrong.length > 0)
    throw new Error(
      wrong.map(({ region, what, detail }) => `${region} ${what}: ${detail ?? 'failed'}`).join('; '),
    );
}
