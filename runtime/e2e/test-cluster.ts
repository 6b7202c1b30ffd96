import { randomInt } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { Kafka, logLevel } from 'kafkajs';
import type { Limits } from '../../core/contract/limits.ts';
import { dropDatabase } from '../adapters/postgres/create-database.ts';
import { DEAD_TOPIC, deliverTopic } from '../adapters/kafka/kafka-options.ts';
import { runningEngines } from '../cluster/cluster-engines.ts';
import { LINKS_ABOVE, planCluster, type ClusterPlan } from '../cluster/cluster-plan.ts';
import { living, readClusterState, type ClusterProcess } from '../cluster/cluster-state.ts';
import { freeBase } from '../cluster/free-ports.ts';
import { PortsTaken, startCluster } from '../cluster/start-cluster.ts';
import { stopCluster } from '../cluster/stop-cluster.ts';
import type { ServiceRegion } from '../deploy/services/service-state.ts';
import type { NodeRole } from '../ports/node-directory.ts';

/** Every role as a process of its own, on engines that others use too, in databases and topics that nobody else uses. */
export interface TestCluster {
  readonly plan: ClusterPlan;
  readonly processes: readonly ClusterProcess[];
  /** Base URLs of the gateways. */
  readonly gateways: readonly string[];
  /** Starts whoever has ended, and waits until everybody is ready. */
  revive(): Promise<void>;
  /** Ends everybody and removes all that the cluster left in the engines. */
  stop(): Promise<void>;
}

export interface TestClusterOptions {
  readonly regions: number;
  /** How many of each role a region has; what is left out is one. */
  readonly counts?: Partial<Record<NodeRole, number>>;
  readonly limits?: Partial<Limits>;
  /** Engines that the test may break; else those that everybody shares. */
  readonly engines?: readonly ServiceRegion[];
  /** Of a Redis Cluster of the test's own, which is asked instead of each region's Redis. */
  readonly redisNodes?: readonly string[];
  /** The key `media` of the configuration; else a folder. */
  readonly media?: object;
  /** Group id of the processes of each region, in their order. */
  readonly groups?: readonly number[];
  /** URL of a collector; every message is traced. */
  readonly traces?: string;
  /** Folder in which everybody writes down what its machines are told. */
  readonly record?: string;
}

/** Redis has 16 databases; 0 to 2 belong to clusters that people start. */
const REDIS_DATABASES = [3, 15] as const;
const ONE_OF_EACH = {
  gateway: 1,
  'message-service': 1,
  'outbox-relay': 1,
  'delivery-worker': 1,
  'http-api': 0,
};

/** Between the look whether ports are free and the process that listens there, another suite may have come. */
const TRIES = 4;

/** @throws Error, with the log of who failed, when not everybody gets ready. */
export async function startTestCluster(options: TestClusterOptions): Promise<TestCluster> {
  for (let tries = 1; ; tries++) {
    try {
      return await startOnce(options);
    } catch (error) {
      if (tries === TRIES || !lostPorts(error)) throw error;
    }
  }
}

function lostPorts(error: unknown): boolean {
  if (error instanceof PortsTaken) return true;
  return error instanceof Error && /ended while it started.*port \d+ of \S+ is in use/s.test(error.message);
}

async function startOnce(options: TestClusterOptions): Promise<TestCluster> {
  const { regions: count, counts = {}, limits = {}, media, redisNodes } = options;
  const folder = mkdtempSync(join(tmpdir(), 'parley-cluster-'));
  const engines = options.engines ?? (await runningEngines(count, () => undefined));
  const run = `t${randomInt(1_000_000)}`;
  const regions = engines.map(({ name }) => `${run}-${name}`);
  const plan = planCluster({
    folder,
    regions,
    engines,
    database: `parley_${run}`,
    redisDatabase: randomInt(REDIS_DATABASES[0], REDIS_DATABASES[1] + 1),
    redisNodes,
    basePort: await freeHundreds(count),
    counts: { ...ONE_OF_EACH, ...counts },
    overrides: {
      log: { level: 'warn' },
      ...(options.traces === undefined
        ? {}
        : { observability: { traces: { url: options.traces, ratio: 1 } } }),
      limits: { drainSpread: 100_000, drainTimeout: 1_000_000, ...limits },
      ...(media === undefined ? {} : { media }),
    },
  });
  await emptyRedis(plan);
  // A suite that fails before it can end its cluster must not leave it running.
  const onExit = (): void => {
    for (const { pid } of living(readClusterState(folder))) process.kill(pid, 'SIGKILL');
  };
  process.once('exit', onExit);
  const clean = async (): Promise<void> => {
    process.off('exit', onExit);
    await forgetEngines(plan);
    rmSync(folder, { recursive: true, force: true });
  };
  const groups = Object.fromEntries(
    (options.groups ?? []).map((gid, i) => [regions[i] as string, gid] as const),
  );
  const start = { plan, groups, record: options.record, say: () => undefined };
  const processes = await startCluster(start).catch(async (error: unknown) => {
    await clean();
    throw error;
  });
  return {
    plan,
    processes,
    gateways: processes.filter(({ role }) => role === 'gateway').map(({ url }) => url),
    async revive() {
      await startCluster(start);
    },
    async stop() {
      const state = readClusterState(folder);
      const killed = state === undefined ? [] : await stopCluster(state);
      await clean();
      if (killed.length > 0) throw new Error(`did not drain: ${killed.map(({ name }) => name).join(', ')}`);
    },
  };
}

/** Ports of a plan lie in hundreds, one a region, and so do the links'; suites take more of the last one for processes of their own. */
function freeHundreds(regions: number): Promise<number> {
  const each = Array.from({ length: 100 * regions + 30 }, (_, i) => i);
  const portsOf = (base: number): number[] => each.flatMap((i) => [base + i, base + i + LINKS_ABOVE]);
  return freeBase({ portsOf, step: 100, random: Math.random });
}

/** A new store begins its epochs at 1; leases of an earlier one would fence them. */
async function emptyRedis({ engines, redisDatabase }: ClusterPlan): Promise<void> {
  for (const { redis } of engines) {
    const client = new Redis(`${redis}/${redisDatabase}`, { maxRetriesPerRequest: 1 });
    await client.flushdb();
    client.disconnect();
  }
}

async function forgetEngines(plan: ClusterPlan): Promise<void> {
  await emptyRedis(plan);
  await Promise.all(plan.engines.map((engine) => forgetRegion(engine, plan)));
}

async function forgetRegion(
  { postgres, kafka }: ServiceRegion,
  { database, regions }: ClusterPlan,
): Promise<void> {
  for (const server of postgres) {
    const url = new URL(server);
    url.pathname = `/${database}`;
    await dropDatabase(url.href);
  }
  const admin = new Kafka({ brokers: kafka, clientId: 'test', logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  const known = await admin.listTopics();
  const topics = regions.map(deliverTopic).filter((topic) => topic !== DEAD_TOPIC && known.includes(topic));
  if (topics.length > 0) await admin.deleteTopics({ topics });
  await admin.disconnect();
}
