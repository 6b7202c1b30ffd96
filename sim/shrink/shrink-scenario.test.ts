import { describe, expect, test } from 'vitest';
import type { Fault, Op, Scenario } from '../scenario.ts';
import { lowerNumber } from './lower-number.ts';
import { removeItems } from './remove-items.ts';
import { renameTargets } from './rename-nodes.ts';
import { scenarioSize, shrinkScenario, type ShrinkResult } from './shrink-scenario.ts';

const send = (at: number, device: number, chat: number, bytes = 100): Op => ({
  at,
  op: 'send',
  device,
  chat,
  bytes,
});

/** Six users with twelve devices in three chats, thirty sends, everything off its default. */
const LARGE: Scenario = {
  version: 1,
  seed: 7,
  topology: {
    gateways: 3,
    services: 2,
    relays: 2,
    workers: 3,
    partitions: 4,
    users: 6,
    devices: 12,
    chats: [
      { kind: 'group', members: [0, 1, 2, 3, 4, 5] },
      { kind: 'direct', members: [1, 4] },
      { kind: 'group', members: [2, 3, 5] },
    ],
  },
  knobs: {
    limits: { inFlightMessages: 1, appendBatch: 1, sendRetry: 50_000, heartbeat: 150_000 },
    network: 'mobile',
    wire: true,
    safetyMicros: 60_000_000,
  },
  ops: Array.from({ length: 30 }, (_, i) => send(1_234_567 + i * 345_678, i % 12, i % 3)),
  faults: [],
};

const shrink = (scenario: Scenario, fails: (s: Scenario) => boolean, maxRuns = 20_000): ShrinkResult =>
  shrinkScenario(scenario, { fails, maxRuns, expired: () => false });

describe('shrinking a scenario', () => {
  test('keeps two of thirty operations, those that the failure needs, in the smallest system', () => {
    const needs = (s: Scenario): boolean => {
      const chats = s.topology.chats;
      // Somebody of a direct chat sends and, at least a second later, the other one does.
      const sends = s.ops.filter((op) => op.op === 'send').filter((op) => chats[op.chat]?.kind === 'direct');
      const user = (device: number): number => device % s.topology.users;
      const inside = sends.filter((op) => chats[op.chat]!.members.includes(user(op.device)));
      return inside.some((a) =>
        inside.some((b) => user(b.device) !== user(a.device) && b.at >= a.at + 1_000_000),
      );
    };
    const start = { ...LARGE, ops: [...LARGE.ops, send(9_000_001, 1, 1), send(13_000_007, 4, 1)] };
    expect(needs(start)).toBe(true);
    const { scenario, minimal } = shrink(start, needs);
    expect(minimal).toBe(true);
    expect(scenario.topology).toEqual({
      gateways: 1,
      services: 1,
      relays: 1,
      workers: 1,
      partitions: 1,
      users: 2,
      devices: 2,
      chats: [{ kind: 'direct', members: [0, 1] }],
    });
    expect(scenario.ops).toHaveLength(2);
    expect(scenario.ops.map((op) => op.at).toSorted((a, b) => a - b)).toEqual([0, 1_000_000]);
    expect(scenario.knobs).toEqual({ limits: {}, network: 'local', wire: false, safetyMicros: 1_000_001 });
  });

  test('keeps the one limit, and the network, that the failure needs', () => {
    const { scenario } = shrink(
      LARGE,
      (s) => s.knobs.limits.appendBatch === 1 && s.knobs.network === 'mobile' && s.ops.length > 0,
    );
    expect(scenario.knobs.limits).toEqual({ appendBatch: 1 });
    expect(scenario.knobs.network).toBe('mobile');
    expect(scenario.knobs.wire).toBe(false);
    expect(scenarioSize(scenario)).toBe(1);
  });

  test('takes away a pair that only goes together', () => {
    const pairs = (s: Scenario): boolean => {
      const on = s.ops.filter((op) => op.op === 'online').length;
      return on === s.ops.filter((op) => op.op === 'offline').length && s.ops.some((op) => op.op === 'send');
    };
    const ops: Op[] = [
      send(1, 0, 0),
      { at: 2, op: 'offline', device: 1 },
      { at: 3, op: 'online', device: 1 },
      { at: 4, op: 'offline', device: 2 },
      { at: 5, op: 'online', device: 2 },
    ];
    expect(shrink({ ...LARGE, ops }, pairs).scenario.ops).toHaveLength(1);
  });

  test('stops when the runs are used up, and says that it is not minimal', () => {
    const result = shrink(LARGE, (s) => s.ops.length > 3, 5);
    expect(result.runs).toBe(5);
    expect(result.minimal).toBe(false);
    expect(result.scenario.ops.length).toBeGreaterThan(3);
  });

  test('stops when the time is over', () => {
    let asked = 0;
    const result = shrinkScenario(LARGE, { fails: () => true, maxRuns: 1_000, expired: () => ++asked > 3 });
    expect(result.runs).toBe(3);
    expect(result.minimal).toBe(false);
  });

  test('never runs a scenario that is not valid', () => {
    const sizes: number[] = [];
    shrink(LARGE, (s) => {
      for (const chat of s.topology.chats) {
        expect(chat.members.length).toBeGreaterThan(0);
        for (const user of chat.members) expect(user).toBeLessThan(s.topology.users);
      }
      for (const op of s.ops) if ('device' in op) expect(op.device).toBeLessThan(s.topology.devices);
      sizes.push(s.ops.length);
      return s.ops.length > 10;
    });
    expect(Math.min(...sizes)).toBeLessThan(11);
  });
});

describe('resetting knobs', () => {
  test('sets durations back together or not at all', () => {
    const { scenario } = shrink(LARGE, (s) => s.knobs.limits.heartbeat === 150_000 && s.ops.length > 0);
    expect(scenario.knobs.limits).toEqual({ sendRetry: 50_000, heartbeat: 150_000 });
  });
});

describe('removing items', () => {
  test('ends with a list of which nothing can be left out', () => {
    const items = Array.from({ length: 100 }, (_, i) => i);
    const needed = [3, 50, 51, 97];
    expect(removeItems(items, (rest) => needed.every((n) => rest.includes(n)))).toEqual(needed);
  });

  test('asks little when nothing is needed', () => {
    let asked = 0;
    expect(removeItems([1, 2, 3], () => ++asked > 0)).toEqual([]);
    expect(asked).toBe(1);
  });
});

describe('lowering a number', () => {
  test('goes to the lowest when that fails', () => expect(lowerNumber(987_654, 0, () => true)).toBe(0));
  test('stays when nothing lower fails', () => expect(lowerNumber(987_654, 0, () => false)).toBe(987_654));
  test('comes near the border, and rounds', () => {
    const low = lowerNumber(9_876_543, 0, (value) => value >= 1_200_000);
    expect(low).toBeGreaterThanOrEqual(1_200_000);
    expect(low).toBeLessThanOrEqual(1_400_000);
    expect(low % 1_000).toBe(0);
  });
});

describe('renaming nodes', () => {
  const fault = (target: string): Fault => ({ at: 0, kind: 'crash', target, for: 0, amount: 0 });
  test('renames both halves of a link and drops what is gone', () => {
    const faults = [fault('device-3~gateway-1'), fault('gateway-0'), fault('gateway-1'), fault('store')];
    const renamed = renameTargets(faults, 'gateway', (index) => (index === 0 ? undefined : index - 1));
    expect(renamed.map((f) => f.target)).toEqual(['device-3~gateway-0', 'gateway-0', 'store']);
  });
});
