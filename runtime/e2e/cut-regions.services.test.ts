import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isRoot } from '../adapters/embedded-postgres/unprivileged-user.ts';
import { startClusterTraffic, type ClusterTraffic } from './cluster-traffic.ts';
import { openBorder, REGION_GROUPS, type RegionBorder } from './region-border.ts';
import { startTestCluster, type TestCluster } from './test-cluster.ts';

/**
 * Two regions are cut off from each other in the middle of traffic: each goes on with its own chats, and after the heal
 * everybody has everything, once and in order. The cut is a firewall's, which only root may make.
 */
describe.skipIf(!isRoot())('two regions, cut off from each other', () => {
  let cluster: TestCluster;
  let traffic: ClusterTraffic;
  let border: RegionBorder;

  beforeAll(async () => {
    cluster = await startTestCluster({ regions: 2, groups: REGION_GROUPS });
    border = await openBorder(cluster.plan);
    traffic = await startClusterTraffic({ gateways: cluster.gateways, users: 12, perSecond: 40, seed: 9 });
    await traffic.moreAcked(50);
  });
  afterAll(async () => {
    await border?.heal();
    await cluster?.stop();
  });

  test('people go on writing in the chats of the region that they reach', async () => {
    await border.cut();
    // What was on its way is through by now, or is not.
    await sleep(1_000);
    await traffic.moreAcked(80, 40_000);
    await sleep(10_000);
    await traffic.moreAcked(40, 40_000);
    // It is a cut: what was written to chats of the other region waits.
    expect(traffic.population.devices.some((device) => device.waiting > 0)).toBe(true);
  });

  test('and in all chats after the heal', async () => {
    await border.heal();
    await traffic.moreAcked(100, 60_000);
  });

  test('nothing that was acknowledged was lost, shown twice or out of order', async () => {
    const verdict = await traffic.verdict(110_000);
    expect(verdict.violation, verdict.stuck.join('; ')).toBeUndefined();
    expect(verdict.settled).toBe(true);
    expect(verdict.sent).toBeGreaterThan(200);
  });
});
