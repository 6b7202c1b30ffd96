import { afterAll, beforeAll, expect, test } from 'vitest';
import { readClusterState } from '../cluster/cluster-state.ts';
import type { NodeRole } from '../ports/node-directory.ts';
import { killNow, startClusterTraffic, type ClusterTraffic } from './cluster-traffic.ts';
import { startTestCluster, type TestCluster } from './test-cluster.ts';

/**
 * Each role is killed with -9 in the middle of traffic, one process after the other, and started again. What everybody's
 * devices saw is judged by the same oracles as simulated runs.
 */
const ROLES: readonly NodeRole[] = ['gateway', 'message-service', 'outbox-relay', 'delivery-worker'];

let cluster: TestCluster;
let traffic: ClusterTraffic;

beforeAll(async () => {
  const two = Object.fromEntries(ROLES.map((role) => [role, 2]));
  cluster = await startTestCluster({ regions: 1, counts: two });
  traffic = await startClusterTraffic({ gateways: cluster.gateways, users: 12, perSecond: 60, seed: 7 });
  await traffic.moreAcked(50);
});
afterAll(async () => {
  await cluster?.stop();
});

test.each(ROLES)('people go on writing when every %s was killed once', async (role) => {
  const names = cluster.processes.filter((process) => process.role === role).map(({ name }) => name);
  expect(names).toHaveLength(2);
  for (const name of names) {
    const victim = readClusterState(cluster.plan.folder)?.processes.find((each) => each.name === name);
    if (victim === undefined) throw new Error(`${name} is not in the state of the cluster`);
    await killNow(victim);
    // The other of its role takes over.
    await traffic.moreAcked(40);
    await cluster.revive();
    await traffic.moreAcked(40);
  }
});

test('nothing that was acknowledged was lost, shown twice or out of order', async () => {
  const verdict = await traffic.verdict(60_000);
  expect(verdict.violation, verdict.stuck.join('; ')).toBeUndefined();
  expect(verdict.settled).toBe(true);
  expect(verdict.sent).toBeGreaterThan(500);
});
