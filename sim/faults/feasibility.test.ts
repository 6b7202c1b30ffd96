import { describe, expect, it, test } from 'vitest';
import { SECOND } from '../../core/contract/time.ts';
import { judgeScenario } from '../oracles/judge-scenario.ts';
import type { Judge } from '../oracles/judge.ts';
import type { Observation } from '../oracles/observation.ts';
import { threeDevices } from '../oracles/tale.ts';
import { runScenario } from '../run.ts';
import { sends, smallScenario } from '../world/testing-world.ts';
import { FAULT_KINDS, faultKind } from './fault-kinds.ts';
import { EXCLUDED, PROMISES, standingOf, suspendedBy } from './feasibility.ts';

/** Whose absence is an alarm; the others speak of bad things alone. */
const OF_GOOD_THINGS = [
  'counts-converge',
  'receipts-arrive',
  'presence-converges',
  'rates-are-fair',
  'tokens-are-honoured',
  'converges',
  'latency',
];

describe('the atlas', () => {
  it('lets no fault that is drawn break what must never happen', () => {
    for (const kind of FAULT_KINDS)
      for (const promise of PROMISES) {
        const standing = standingOf(kind, promise);
        expect(standing, `${promise} under ${kind.kind}`).not.toBe('outside');
        if (!OF_GOOD_THINGS.includes(promise))
          expect(standing, `${promise} under ${kind.kind}`).toBe('holds');
      }
  });

  it('excuses nothing under a fault that must not be felt', () => {
    for (const kind of FAULT_KINDS.filter(({ unfelt }) => unfelt === true))
      expect(suspendedBy(kind), kind.kind).toEqual([]);
  });

  it('puts something outside for every fault that is not drawn, and says who keeps it away', () => {
    for (const [name, { promises, why }] of Object.entries(EXCLUDED)) {
      expect(Object.values(promises), name).toContain('outside');
      expect(why.length).toBeGreaterThan(20);
      expect(faultKind(name)).toBeUndefined();
    }
  });
});

describe('the judge', () => {
  const slow = (suspended: boolean) => {
    const tale = threeDevices();
    // Not counted as felt, so that the oracle itself sees no reason to be silent.
    if (suspended) tale.fault(0, ['latency', 'no-duplicate-shown']);
    for (let seq = 1; seq <= 100; seq++) {
      tale.sent('c_1', seq, `m_${seq}`).wait(SECOND);
      for (const [device, epoch] of [
        ['d_2', 2],
        ['d_3', 3],
      ] as const)
        tale.push(device, epoch, 'c_1', seq).shown(device, 'c_1', seq, `m_${seq}`);
    }
    return tale;
  };

  test('raises no alarm for a good thing that is suspended, and the same alarm when it is not', () => {
    const ended = (suspended: boolean) =>
      slow(suspended)
        .end()
        .judged({ only: ['latency'] })?.oracle;
    expect([ended(false), ended(true)]).toEqual(['latency', undefined]);
  });

  test('raises it for a bad thing, whatever is suspended', () => {
    const twice = slow(true).shown('d_2', 'c_1', 100, 'm_100');
    expect(twice.judged()?.oracle).toBe('no-duplicate-shown');
  });

  test('owes everything to who is served once the rest has healed', () => {
    const tale = slow(true).heal('d_1', 'd_2', 'd_3').end();
    expect(tale.judged({ only: ['latency'] })?.oracle).toBe('latency');
  });
});

/** Listens to what the judge of a run is told of faults. */
function listening(told: Observation[]): (setting: Parameters<typeof judgeScenario>[0]) => Judge {
  return (setting) => {
    const judge = judgeScenario(setting);
    return {
      ...judge,
      observe(observation, at) {
        if (observation.kind === 'fault') told.push(observation);
        return judge.observe(observation, at);
      },
    };
  };
}

test.each(['registry-flush', 'hints-dropped'])('a run under %s tells the judge what it suspends', (name) => {
  const kind = faultKind(name)!;
  const told: Observation[] = [];
  const fault = { at: SECOND, kind: name, target: 'registry', for: SECOND, amount: 1_000 };
  runScenario(smallScenario({ ops: sends(5, 50_000), faults: [fault] }), { judge: listening(told) });
  expect(told).toMatchObject([{ suspended: suspendedBy(kind) }, { suspended: [] }]);
});
