import { afterAll, beforeAll, expect, test } from 'vitest';
import { readClusterState } from '../cluster/cluster-state.ts';
import type { NodeRole } from '../ports/node-directory.ts';
import { killNow, startClusterTraffic, type ClusterTraffic } from './cluster-traffic.ts';
import { startTestCluster, type TestCluster } from './test-cluster.ts';

/**
 * Each role is killed with -9 in the middle of traffic, one process after the other, and started again. A third of the devices
 * polls; one group is so large that its receipts are counted, and members of it come and go. What everybody's devices saw is
 * judged by the same oracles as simulated runs.
 */
const ROLES: readonly NodeRole[] = [
  'gateway',
  'http-api',
  'message-service',
  'outbox-relay',
  'delivery-worker',
];
const USERS = 12;
/** More than `receiptMembers` with those who write, guests who are away left out. */
const LISTENERS = 26;

let cluster: TestCluster;
let traffic: ClusterTraffic;

beforeAll(async () => {
  const two = Object.fromEntries(ROLES.map((role) => [role, 2]));
  cluster = await startTestCluster({ regions: 1, counts: two });
  traffic = await startClusterTraffic({
    cluster,
    users: USERS,
    listeners: LISTENERS,
    pollEvery: 3,
    perSecond: 60,
    seed: 7,
  });
  await traffic.moreAcked(50);
});
afterAll(async () => {
  await cluster?.stop();
});

test.each(ROLES)('people go on writing, coming and going when every %s was killed once', async (role) => {
  const names = cluster.processes.filter((process) => process.role === role).map(({ name }) => name);
  expect(names).toHaveLength(2);
  for (const name of names) {
    const victim = readClusterState(cluster.plan.folder)?.processes.find((each) => each.name === name);
    if (victim === undefined) throw new Error(`${name} is not in the state of the cluster`);
    await killNow(victim);
    // The other of its role takes over.
    await Promise.all([traffic.moreAcked(40), traffic.moreChanged(2)]);
    await cluster.revive();
    await Promise.all([traffic.moreAcked(40), traffic.moreChanged(2)]);
  }
});

test('nothing that was acknowledged was lost, shown twice, out of order or to somebody who had left', async () => {
  const verdict = await traffic.verdict(60_000);
  expect(verdict.violation, verdict.stuck.join('; ')).toBeUndefined();
  expect(verdict.settled).toBe(true);
  expect(verdict.sent).toBeGreaterThan(500);
});

test('and all that was there to be judged: polls, counts, cursors, and guests who left and came back', () => {
  const seen = new Set(traffic.witness.sightings.map(({ observation }) => observation.kind));
  expect([...seen]).toEqual(expect.arrayContaining(['count-shown', 'cursor-saved', 'receipt-shown']));
  expect(traffic.population.devices.filter(({ transport }) => transport === 'poll').length).toBeGreaterThan(
    10,
  );
});
