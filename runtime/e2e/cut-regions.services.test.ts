import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createPlacement, regionOf } from '../../core/contract/placement.ts';
import { isRoot } from '../adapters/embedded-postgres/unprivileged-user.ts';
import { shardsOf } from '../cluster/cluster-plan.ts';
import { startClusterTraffic, type ClusterTraffic } from './cluster-traffic.ts';
import { openBorder, REGION_GROUPS, type RegionBorder } from './region-border.ts';
import { startTestCluster, type TestCluster } from './test-cluster.ts';

/**
 * Two regions are cut off from each other in the middle of traffic: each goes on with its own chats, and after the heal
 * everybody has everything, once and in order. The cut is a firewall's, which only root may make.
 */
/**
 * A message a second of each: a device has `deviceSendWindow` (32) sends under way, whichever their chats, so that who goes on
 * writing to a region that is cut off has none left for the others after that many.
 */
const PER_SECOND = 12;

let cluster: TestCluster;
let traffic: ClusterTraffic;
let border: RegionBorder;

beforeAll(async () => {
  // A promise that is not looked at is not kept: without root this suite has failed.
  if (!isRoot())
    throw new Error('only root can cut the regions of a machine off from each other: run it as root');
  cluster = await startTestCluster({ regions: 2, groups: REGION_GROUPS });
  border = await openBorder(cluster.plan);
  traffic = await startClusterTraffic({ cluster, users: 12, perSecond: PER_SECOND, seed: 9 });
  await traffic.moreAcked(50);
});
afterAll(async () => {
  await border?.heal();
  await cluster?.stop();
});

/** What was seen in the chats of each region from here on, in the order of the regions of the plan. */
function fromHere(): { acked(): readonly number[]; shown(): readonly number[] } {
  const { regions } = cluster.plan;
  const placement = createPlacement(shardsOf(cluster.plan));
  const { sightings } = traffic.witness;
  const begin = sightings.length;
  const count = (kind: 'acked' | 'shown'): readonly number[] => {
    const homes = sightings.slice(begin).flatMap(({ observation }) => {
      if (observation.kind !== kind) return [];
      // A message on the devices of who wrote it has crossed nothing.
      if (observation.kind === 'shown' && observation.from === observation.userId) return [];
      return [regionOf(placement, observation.chatId)];
    });
    return regions.map((region) => homes.filter((home) => home === region).length);
  };
  return { acked: () => count('acked'), shown: () => count('shown') };
}

/** Waits until the chats of each region, for themselves, have so much more of both. */
async function eachGoesOn(least: number): Promise<void> {
  const seen = fromHere();
  const enough = (counts: readonly number[]): boolean => counts.every((count) => count >= least);
  const options = { timeout: 40_000, interval: 200 };
  await expect.poll(() => seen.acked(), options).toSatisfy(enough);
  await expect.poll(() => seen.shown(), options).toSatisfy(enough);
}

test('in the chats of each region people go on writing and reading', async () => {
  await border.cut();
  // What was on its way is through by now, or is not.
  await sleep(1_000);
  await eachGoesOn(12);
  await sleep(10_000);
  await eachGoesOn(12);
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
