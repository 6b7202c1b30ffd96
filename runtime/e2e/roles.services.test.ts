import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { shardsOf } from '../cluster/cluster-plan.ts';
import { endProcess, launch, readinessOf } from '../cluster/cluster-process.ts';
import type { ClusterProcess } from '../cluster/cluster-state.ts';
import { loadConfig } from '../config/load-config.ts';
import { examineDeployment } from '../doctor/examine.ts';
import { createLogger } from '../observability/logger.ts';
import { verdictWithin } from './cluster-traffic.ts';
import { createPopulation } from './population.ts';
import { connectRaw } from './raw-device.ts';
import { startRoleProcess, type ServerProcess } from './server-process.ts';
import { openShardTruth } from './shard-truth.ts';
import { startTestCluster, type TestCluster } from './test-cluster.ts';
import { createWitness } from './witness.ts';

/** Roles as an orchestrator sees them: told to end, asked whether they are ready, started while engines are away. */

const log = createLogger('silent', 'test');
let cluster: TestCluster;
const started: ServerProcess[] = [];
const launched: ClusterProcess[] = [];

beforeAll(async () => {
  cluster = await startTestCluster({
    regions: 1,
    counts: { gateway: 2, 'message-service': 2, 'outbox-relay': 2, 'delivery-worker': 2 },
  });
});
afterEach(async () => {
  await Promise.all(launched.splice(0).map((each) => endProcess(each, 'SIGKILL', 5_000)));
});
afterAll(async () => {
  await Promise.all(started.map((each) => each.end('SIGKILL')));
  await cluster.stop();
});

const named = (prefix: string): ClusterProcess =>
  cluster.processes.find(({ name }) => name.startsWith(prefix)) as ClusterProcess;
const configFile = (name: string): string => join(cluster.plan.folder, 'config', `${name}.json`);

/** Takes a process of the cluster over: the same name, port and certificate, as a child whose exit code is seen. */
async function asChild(member: ClusterProcess): Promise<ServerProcess> {
  expect(await endProcess(member, 'SIGTERM', 15_000)).toBe(true);
  const child = await startRoleProcess(member.role, configFile(member.name));
  started.push(child);
  return child;
}

describe('the doctor', () => {
  test('finds nothing broken in a cluster that works', async () => {
    const config = loadConfig({ path: configFile('gateway-1.' + cluster.plan.regions[0]), environment: {} });
    const findings = await examineDeployment({ config, timeoutMs: 3_000, log });
    expect(findings.filter(({ verdict }) => verdict !== 'ok')).toEqual([]);
    expect(findings.map(({ subject }) => subject)).toEqual(
      expect.arrayContaining(['Kafka', 'Redis', 'processes', 'certificate of the links']),
    );
  });

  test('says what does not answer, what is missing, and what to do', async () => {
    const source = configFile('gateway-1.' + cluster.plan.regions[0]);
    const raw = JSON.parse(readFileSync(source, 'utf8')) as { regions: Region[]; nodeName: string };
    type Region = { name: string; postgres: { shards: { url: string }[] }; redis: { url: string } };
    const [region] = raw.regions as [Region];
    region.redis.url = 'redis://127.0.0.1:1';
    region.name = 'elsewhere';
    (region.postgres.shards[0] as { url: string }).url = (
      region.postgres.shards[0] as { url: string }
    ).url.replace(/[^/]*$/, 'postgres');
    const path = join(cluster.plan.folder, 'sick.json');
    writeFileSync(path, JSON.stringify({ ...raw, region: 'elsewhere', nodeName: 'somebody-else' }));
    const findings = await examineDeployment({
      config: loadConfig({ path, environment: {} }),
      timeoutMs: 3_000,
      log,
    });
    const broken = findings.filter(({ verdict }) => verdict === 'broken');
    const text = broken.map(({ subject, detail, next }) => `${subject}: ${detail} -> ${next}`).join('\n');
    expect(text).toMatch(/Redis: .*ECONNREFUSED.* -> .*redis-cli ping/);
    expect(text).toMatch(/PostgreSQL shard \S+: lacks the migrations 1 \(schema\).* -> parley migrate/);
    expect(text).toMatch(/Kafka: lacks the topics parley.deliver.elsewhere -> parley migrate/);
    expect(text).toMatch(/certificate of the links: it does not name somebody-else/);
  });
});

test('every role is restarted under traffic: each ends with 0, and nothing is lost, repeated or out of order', async () => {
  const gateway = named('gateway-1');
  const witness = createWitness();
  const population = await createPopulation({
    url: gateway.url,
    users: 10,
    devicesPerUser: 2,
    groups: 2,
    groupSize: 6,
    seed: 11,
    device: { witness },
  });
  const traffic = setInterval(() => population.act(), 10);
  try {
    for (const prefix of ['message-service-1', 'outbox-relay-1', 'delivery-worker-1', 'gateway-1']) {
      const member = named(prefix);
      const child = await asChild(member);
      await expect
        .poll(
          () => readinessOf({ ...member, pid: child.pid, started: undefined }).then(({ state }) => state),
          { timeout: 10_000 },
        )
        .toBe('ready');
      await sleep(500);
      const began = performance.now();
      expect(await child.end('SIGTERM'), `${prefix}: ${child.log()}`).toMatchObject({ code: 0 });
      // `drain.timeoutMs` of a test cluster, and what a busy machine takes to notice.
      expect(performance.now() - began).toBeLessThan(15_000);
      // Its namesake goes on with its work; the devices come back to this gateway.
      if (member === gateway) started.push(await startRoleProcess(member.role, configFile(member.name)));
    }
  } finally {
    clearInterval(traffic);
  }
  const truth = openShardTruth(shardsOf(cluster.plan).map(({ url }) => url));
  const verdict = await verdictWithin({ population, witness, truth, withinMs: 60_000 });
  await Promise.all([population.stop(), truth.close()]);
  console.log(`everybody had everything ${(verdict.lateMs / 1_000).toFixed(1)} s after all was quiet`);
  expect(verdict.violation, verdict.stuck.join('; ')).toBeUndefined();
  expect(verdict.settled).toBe(true);
  expect(population.sent).toBeGreaterThan(200);
}, 240_000);

describe('a gateway that is told to end', () => {
  test('says so to its devices, is not ready at once, and a second signal ends it without waiting', async () => {
    const child = await asChild(named('gateway-2'));
    const device = await connectRaw({ url: child.url, user: 'u_801' });
    process.kill(child.pid, 'SIGTERM');
    expect(await device.next(({ frame }) => frame === 'GOAWAY')).toMatchObject({ reason: 'drain' });
    process.kill(child.pid, 'SIGTERM');
    // It may have finished before the second signal came.
    expect([0, 128 + 15]).toContain((await child.exited).code);
    await expect(fetch(`${child.url}/readyz`)).rejects.toThrow();
  });
});

describe('a role whose engine does not answer', () => {
  type Region = {
    postgres: { shards: { url: string }[] };
    redis: { url: string };
    kafka: { brokers: string[] };
  };

  /** Port 1 of this machine refuses every connection. */
  function launchWithout(engine: 'PostgreSQL' | 'Redis' | 'Kafka', member: ClusterProcess): ClusterProcess {
    const config = JSON.parse(readFileSync(configFile(member.name), 'utf8')) as {
      regions: Region[];
      http: { port: number };
      links: { port: number };
    };
    const [region] = config.regions as [Region];
    if (engine === 'PostgreSQL')
      for (const shard of region.postgres.shards) shard.url = shard.url.replace(/:\d+\//, ':1/');
    if (engine === 'Redis') region.redis.url = 'redis://127.0.0.1:1';
    if (engine === 'Kafka') region.kafka.brokers = ['127.0.0.1:1'];
    config.http.port += 70;
    config.links.port += 70;
    const process = { ...member, httpPort: config.http.port, linkPort: config.links.port };
    const lonely = launch({ folder: join(cluster.plan.folder, engine), process, config });
    launched.push(lonely);
    return lonely;
  }

  test.each([
    ['PostgreSQL', 'gateway-1', /waits for an engine: shard .*ECONNREFUSED/],
    ['Redis', 'delivery-worker-1', /Redis: redis of region \S+ does not answer/],
    ['Kafka', 'delivery-worker-1', /Kafka of \S+: .*does not answer/],
  ] as const)('%s: lives, is not ready, and says why', async (engine, prefix, reason) => {
    const lonely = launchWithout(engine, named(prefix));
    await expect.poll(async () => (await readinessOf(lonely)).detail, { timeout: 20_000 }).toMatch(reason);
    expect((await fetch(`${lonely.url}/healthz`)).status).toBe(200);
    expect(await endProcess(lonely, 'SIGTERM', 15_000)).toBe(true);
  });
});
