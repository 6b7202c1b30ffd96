import { describe, expect, it } from 'vitest';
import { Draws } from '../../engine/draws.ts';
import type { Scenario } from '../../scenario.ts';
import { checkScenario } from '../check-scenario.ts';
import { runJudged } from '../run-judged.ts';
import { comesAndGoes } from './comes-and-goes.ts';
import { drawSituation, SITUATIONS } from './draw-situation.ts';
import { growsHuge } from './grows-huge.ts';
import { membersDisagree } from './members-disagree.ts';
import { pollerIsSentAway } from './poller-is-sent-away.ts';
import type { Situation } from './situation.ts';

const STREAM = 1;

function drawn(situation: Situation, count: number): Scenario[] {
  return Array.from({ length: count }, (_, seed) => drawSituation(new Draws(seed, STREAM), seed, situation));
}

describe('each situation', { timeout: 60_000 }, () => {
  for (const situation of new Set(SITUATIONS)) {
    it(`${situation.name} is valid, over by the end of the safety phase, and passes`, () => {
      for (const [seed, scenario] of drawn(situation, 100).entries()) {
        const { safetyMicros } = scenario.knobs;
        expect(checkScenario(scenario), `seed ${seed}`).toMatchObject({ ok: true });
        for (const { at } of scenario.ops) expect(at, `seed ${seed}`).toBeLessThan(safetyMicros);
        for (const fault of scenario.faults)
          expect(fault.at + fault.for, `seed ${seed}`).toBeLessThanOrEqual(safetyMicros);
        expect(runJudged(scenario, {}).verdict, `seed ${seed}`).toBe('pass');
      }
    });
  }
});

describe('a situation', { timeout: 60_000 }, () => {
  const share = (situation: Situation, probe: string): number =>
    drawn(situation, 100).filter((scenario) => runJudged(scenario, {}).probes.has(probe)).length;

  it('is mostly what it says: a device that polls is sent away, sends are made on a device that is there', () => {
    expect(share(pollerIsSentAway, 'session.goaway.slow_consumer')).toBeGreaterThan(30);
    expect(share(comesAndGoes, 'op.device-off')).toBeLessThan(100);
  });

  it('has members changed by who may, and by who may not', () => {
    expect(share(membersDisagree, 'api.member-changed')).toBeGreaterThan(90);
    expect(share(membersDisagree, 'api.refused')).toBeGreaterThan(90);
  });

  it('lets the group grow huge by the member who joins', () => {
    for (const { knobs, ops, topology } of drawn(growsHuge, 50)) {
      const { members } = topology.chats[0]!;
      expect(knobs.limits.hugeGroup).toBe(members.length);
      const joined = ops.find((op) => op.op === 'add-member');
      expect(joined?.op === 'add-member' && members.includes(joined.user)).toBe(false);
      expect(joined).toBeDefined();
    }
  });
});
