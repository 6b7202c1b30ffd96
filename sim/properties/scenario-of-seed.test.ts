import { describe, expect, it } from 'vitest';
import { FAULT_KINDS } from '../faults/fault-kinds.ts';
import { runScenario } from '../run.ts';
import type { Scenario } from '../scenario.ts';
import { checkScenario } from './check-scenario.ts';
import { scenarioOfSeed, seedOfText } from './scenario-of-seed.ts';
import { OP_KINDS } from './scenarios.ts';

const SEEDS = 3_000;
const SCENARIOS: readonly Scenario[] = Array.from({ length: SEEDS }, (_, seed) => scenarioOfSeed(seed));

/** In how many of the scenarios each name occurs, per cent. */
function shares(
  names: readonly string[],
  namesIn: (scenario: Scenario) => readonly string[],
): Map<string, number> {
  const counts = new Map(names.map((name) => [name, 0]));
  for (const scenario of SCENARIOS) {
    for (const name of new Set(namesIn(scenario))) counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return new Map([...counts].map(([name, count]) => [name, (100 * count) / SEEDS]));
}

function text(counted: Map<string, number>): string {
  const sorted = [...counted].sort(([, a], [, b]) => b - a);
  return sorted.map(([name, share]) => `${name} ${share.toFixed(1)} %`).join(', ');
}

describe('scenarioOfSeed', { timeout: 60_000 }, () => {
  it('draws valid scenarios, whose faults are over by the end of the safety phase', () => {
    for (const [seed, scenario] of SCENARIOS.entries()) {
      expect(checkScenario(scenario), `seed ${seed}`).toMatchObject({ ok: true });
      for (const { at } of scenario.ops) expect(at, `seed ${seed}`).toBeLessThan(scenario.knobs.safetyMicros);
      for (const fault of scenario.faults) {
        expect(fault.at + fault.for, `seed ${seed}`).toBeLessThanOrEqual(scenario.knobs.safetyMicros);
      }
    }
  });

  it('reaches every kind of fault in three of a thousand seeds', () => {
    const counted = shares(
      FAULT_KINDS.map((kind) => kind.kind),
      (scenario) => scenario.faults.map((fault) => fault.kind),
    );
    console.log(`faults, by share of ${SEEDS} seeds: ${text(counted)}`);
    expect(counted.size).toBe(FAULT_KINDS.length);
    for (const [kind, share] of counted) expect(share, kind).toBeGreaterThan(0.3);
  });

  it('reaches every kind of operation in one of fifty seeds', () => {
    const counted = shares(OP_KINDS, (scenario) => scenario.ops.map((op) => op.op));
    console.log(`operations, by share of ${SEEDS} seeds: ${text(counted)}`);
    expect(counted.size).toBe(OP_KINDS.length);
    for (const [op, share] of counted) expect(share, op).toBeGreaterThan(2);
  });

  it('draws calm runs and wild ones, small and large', () => {
    const faults = SCENARIOS.map((scenario) => scenario.faults.length);
    const ops = SCENARIOS.map((scenario) => scenario.ops.length);
    expect(faults.filter((count) => count === 0).length).toBeGreaterThan(SEEDS / 20);
    expect(Math.max(...faults)).toBeGreaterThan(8);
    expect(Math.min(...ops)).toBeLessThan(2);
    expect(Math.max(...ops)).toBeGreaterThan(80);
  });

  it('lets something stay broken for ever in one run of eight, and mostly somebody can still be served', () => {
    const staying = SCENARIOS.filter(({ faults }) => faults.some((fault) => fault.permanent === true));
    expect(staying.length / SEEDS).toBeGreaterThan(0.1);
    expect(staying.length / SEEDS).toBeLessThan(0.15);
    const reached = (name: string): number =>
      staying.filter((scenario) => runScenario(scenario, { judge: 'nobody' }).probes.has(name)).length;
    expect(reached('heal.some-served') / staying.length).toBeGreaterThan(0.1);
    expect(reached('heal.nobody-served') / staying.length).toBeLessThan(0.02);
  });

  it('is the same for the same seed', () => {
    expect([1, 2, 4_294_967_295].map(scenarioOfSeed)).toEqual([1, 2, 4_294_967_295].map(scenarioOfSeed));
    expect(scenarioOfSeed(1)).not.toEqual(scenarioOfSeed(2));
  });
});

describe('seedOfText', () => {
  it('reads numbers below 2^32 and the hashes of commits, and nothing else', () => {
    expect(seedOfText('42')).toBe(42);
    expect(seedOfText('4294967295')).toBe(4_294_967_295);
    expect(seedOfText('8322b0f')).toBe(0x8322b0f);
    expect(seedOfText('ffffffffffffffffffffffffffffffffffffffff')).toBe(0xffff_ffff);
    for (const wrong of ['', '-1', '1.5', 'seed', 'ffffff']) expect(seedOfText(wrong)).toBeUndefined();
  });
});
