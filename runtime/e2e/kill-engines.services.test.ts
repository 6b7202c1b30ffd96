import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readServiceState } from '../deploy/services/service-state.ts';
import { portIsOpen } from '../deploy/services/port-answer.ts';
import { servicesDown, servicesUp, type ServicesOptions } from '../deploy/services/services.ts';
import { killNow, startClusterTraffic, type ClusterTraffic } from './cluster-traffic.ts';
import { startTestCluster, type TestCluster } from './test-cluster.ts';

/**
 * Every engine is killed with -9 in the middle of traffic and started again, and Redis loses everything besides. The engines
 * are this test's own; what everybody's devices saw is judged by the same oracles as simulated runs.
 */
let folder: string;
let cluster: TestCluster;
let traffic: ClusterTraffic;

const quiet = (): void => undefined;
const services = (): ServicesOptions => ({
  folder,
  only: ['postgres', 'redis', 'kafka'],
  regions: 1,
  // Others may run engines of their own at any offset; once some run, they say which.
  portOffset: 'auto',
  progress: quiet,
});

beforeAll(async () => {
  // PostgreSQL runs under another user, who must be able to enter.
  folder = mkdtempSync(join(tmpdir(), 'parley-engines-'));
  chmodSync(folder, 0o755);
  const state = await servicesUp(services());
  cluster = await startTestCluster({ regions: 1, engines: state.regions });
  traffic = await startClusterTraffic({ cluster, users: 12, perSecond: 60, seed: 8 });
  await traffic.moreAcked(50);
});
afterAll(async () => {
  await cluster?.stop().catch(quiet);
  await servicesDown(folder, undefined, quiet);
  rmSync(folder, { recursive: true, force: true });
});

async function killAndRestart(engine: string): Promise<void> {
  const victim = readServiceState(folder)?.processes.find(({ name }) => name === engine);
  if (victim === undefined) throw new Error(`there is no ${engine}`);
  await killNow(victim);
  while (await portIsOpen(victim.port)) await sleep(50);
  await servicesUp(services());
}

test.each(['postgres-eu-1', 'postgres-eu-2', 'kafka-eu', 'redis-eu'])(
  'people go on writing after %s was killed and started again',
  async (engine) => {
    await killAndRestart(engine);
    await traffic.moreAcked(100, 60_000);
  },
);

test('people go on writing after Redis has lost everything', async () => {
  const { redis } = cluster.plan.engines[0] as { readonly redis: string };
  const client = new Redis(redis);
  await client.flushall();
  client.disconnect();
  await traffic.moreAcked(100);
});

test('nothing that was acknowledged was lost, shown twice or out of order', async () => {
  const verdict = await traffic.verdict(90_000);
  expect(verdict.violation, verdict.stuck.join('; ')).toBeUndefined();
  expect(verdict.settled).toBe(true);
  expect(verdict.sent).toBeGreaterThan(500);
});
