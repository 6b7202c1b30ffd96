import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { runScenario } from '../run.ts';
import { FAULT_KINDS } from '../faults/fault-kinds.ts';
import { checkScenario } from './check-scenario.ts';
import { OP_KINDS, scenarios } from './scenarios.ts';

const SEED = 20_240_501;

describe('scenarios()', { timeout: 60_000 }, () => {
  it('draws scenarios that are valid, within their safety phase, and JSON', () => {
    fc.assert(
      fc.property(scenarios(), (scenario) => {
        expect(checkScenario(scenario)).toEqual({ ok: true, scenario });
        for (const { at } of scenario.ops) expect(at).toBeLessThan(scenario.knobs.safetyMicros);
        for (const fault of scenario.faults)
          expect(fault.at + fault.for).toBeLessThanOrEqual(scenario.knobs.safetyMicros);
        expect(JSON.parse(JSON.stringify(scenario))).toEqual(scenario);
      }),
      { numRuns: 2_000, seed: SEED },
    );
  });

  it('reaches every kind of fault and of operation', () => {
    const drawn = fc.sample(scenarios(), { numRuns: 500, seed: SEED });
    const faults = new Set(drawn.flatMap((scenario) => scenario.faults.map((fault) => fault.kind)));
    const ops = new Set(drawn.flatMap((scenario) => scenario.ops.map((op) => op.op)));
    expect([...faults].sort()).toEqual(FAULT_KINDS.map((kind) => kind.kind).sort());
    expect([...ops].sort()).toEqual([...OP_KINDS].sort());
    // Small ones and large ones, and some without any trouble.
    expect(Math.max(...drawn.map((scenario) => scenario.ops.length))).toBeGreaterThan(50);
    expect(drawn.some((scenario) => scenario.faults.length === 0)).toBe(true);
  });

  it('draws only what is wanted, and says what does not exist', () => {
    const only = scenarios({ faults: ['crash', 'cut'], ops: ['send'] });
    for (const scenario of fc.sample(only, { numRuns: 200, seed: SEED })) {
      for (const fault of scenario.faults) expect(['crash', 'cut']).toContain(fault.kind);
      for (const op of scenario.ops) expect(op.op).toBe('send');
    }
    const silent = fc.sample(scenarios({ faults: [], ops: [] }), { numRuns: 50, seed: SEED });
    expect(silent.flatMap((scenario) => [...scenario.faults, ...scenario.ops])).toEqual([]);
    expect(() => scenarios({ faults: ['gremlins'] })).toThrow(/faults: there is no "gremlins", only crash, /);
  });

  it('shrinks one part without the others: to a single fault of the kind that is not liked', () => {
    const found = fc.check(
      fc.property(scenarios(), (scenario) => !scenario.faults.some((fault) => fault.kind === 'crash')),
      { seed: SEED, numRuns: 1_000 },
    );
    const [scenario] = found.counterexample ?? [];
    expect(scenario?.faults.map((fault) => fault.kind)).toEqual(['crash']);
    expect(scenario?.ops).toEqual([]);
    expect(scenario?.topology).toMatchObject({ gateways: 1, services: 1, users: 2, devices: 2 });
  });

  it('draws scenarios in which every promise holds', () => {
    fc.assert(
      fc.property(scenarios(), (scenario) => {
        const result = runScenario(scenario, { maxEvents: 2_000_000 });
        expect(result.verdict, JSON.stringify(scenario)).toBe('pass');
      }),
      { numRuns: 150, seed: SEED, endOnFailure: true },
    );
  });
});
