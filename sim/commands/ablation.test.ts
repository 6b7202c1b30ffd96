import { describe, expect, it } from 'vitest';
import { scenarioOfSeed } from '../properties/scenario-of-seed.ts';
import type { Scenario } from '../scenario.ts';
import { ABLATIONS, ablate, withoutFaults } from './ablation.ts';
import { replayMutant } from './replay-mutant.ts';

const SEEDS = 400;
const order = { from: 1, seeds: SEEDS };
const has = (scenario: Scenario, kind: string): boolean =>
  scenario.faults.some((fault) => fault.kind === kind);

describe('a hunt without a class of faults', () => {
  it('finds what needs that class no more, and everything else as soon as before', () => {
    const { complete, without } = ablate(order, scenarioOfSeed, (scenario) => has(scenario, 'store-unknown'));
    expect(complete).toBeGreaterThan(0);
    const { store, all, ...others } = without;
    expect([store, all]).toEqual([undefined, undefined]);
    for (const each of Object.values(others)) expect(each).toBe(complete);
  });

  it('leaves out what runs as it did before, and says the same as if it had not', () => {
    const red = (scenario: Scenario): boolean => has(scenario, 'crash') || has(scenario, 'registry-flush');
    let runs = 0;
    const report = ablate(order, scenarioOfSeed, (scenario) => {
      runs++;
      return red(scenario);
    });
    for (const ablation of ABLATIONS) {
      const every = Array.from({ length: SEEDS }, (_, i) => withoutFaults(scenarioOfSeed(1 + i), ablation));
      const first = every.findIndex(red);
      expect(report.without[ablation], ablation).toBe(first < 0 ? undefined : first + 1);
    }
    expect(runs).toBeLessThan(SEEDS * ABLATIONS.length);
  });

  it('goes on behind the seed that the complete hunt ended with, which nobody has run yet', () => {
    const fault = (kind: string) => ({ at: 0, kind, target: 'anything', for: 1, amount: 0 });
    const scenarioOf = (seed: number): Scenario => ({
      ...scenarioOfSeed(1),
      faults: [fault(seed === 1 ? 'crash' : 'registry-flush')],
    });
    const { complete, without } = ablate(order, scenarioOf, ({ faults }) => faults.length > 0);
    expect([complete, without.process, without.registry, without.queue]).toEqual([1, 2, 1, 1]);
  });

  it('of what no seed finds there is nothing to leave out', () => {
    expect(ablate(order, scenarioOfSeed, () => false)).toEqual({ complete: undefined, without: {} });
  });

  it('takes from a scenario only what belongs to the class', () => {
    const scenario = scenarioOfSeed(1);
    const faults = [
      { at: 0, kind: 'store-slow', target: 'store', for: 1, amount: 2 },
      { at: 0, kind: 'crash', target: 'gateway-0', for: 1, amount: 0 },
    ];
    const mixed: Scenario = { ...scenario, faults };
    expect(withoutFaults(mixed, 'store').faults).toEqual(faults.slice(1));
    expect(withoutFaults(mixed, 'process').faults).toEqual(faults.slice(0, 1));
    expect(withoutFaults(mixed, 'all').faults).toEqual([]);
    expect(withoutFaults(mixed, 'queue')).toBe(mixed);
  });
});

it('a mutant that does not exist says so', async () => {
  await expect(replayMutant('no-such-mutant', [])).rejects.toThrow(
    /no-such-mutant does not load: .*no-such-mutant/,
  );
});
