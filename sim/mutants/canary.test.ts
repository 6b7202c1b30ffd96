import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runChunk } from '../commands/campaign-work.ts';
import { huntMutant } from '../commands/hunt-mutant.ts';
import { checkScenario } from '../properties/check-scenario.ts';
import { scenarioSize } from '../shrink/shrink-scenario.ts';
import { parseScenarioFile } from '../commands/scenario-file.ts';
import { ALL_MUTANTS } from './all-mutants.ts';
import { plant, RottenMutant } from './mutant.ts';

const ROOT = join(import.meta.dirname, '../..');
const SEEDS = 600;
/** It takes a fault at the right moment, as real bugs do: a canary that dies at once would prove little. */
const CANARY = 'unknown-taken-for-ok';

describe('the canary', { timeout: 60_000 }, () => {
  it(`${CANARY} is found within ${SEEDS} seeds, by the promise it breaks, and gets small`, async () => {
    const mutant = ALL_MUTANTS.find(({ name }) => name === CANARY)!;
    const hunt = await huntMutant(mutant, { from: 1, seeds: SEEDS, shrinkSeconds: 5 }, 55);
    if (hunt.outcome !== 'killed') throw new Error(`the simulator is blind: ${JSON.stringify(hunt)}`);
    const { killed, runs } = hunt.report;
    expect(runs).toBeGreaterThan(1);
    const { scenario, failed } = parseScenarioFile(CANARY, killed.file);
    expect(mutant.expected.map(String)).toContain(failed?.split(' ')[1]);
    expect(checkScenario(scenario).ok).toBe(true);
    expect(scenarioSize(scenario)).toBeLessThanOrEqual(5);
  });

  it('is nothing that would be found without it', () => {
    // The same seeds pass in the core as it is: the kill above is the mutant's and no other defect's.
    const report = runChunk({ from: 1, count: SEEDS, twice: false, hashes: false, stopAtFailure: true });
    expect(report.found).toEqual([]);
  });
});

describe('every planted bug', () => {
  for (const mutant of ALL_MUTANTS) {
    it(`${mutant.name} still fits its file`, () => {
      const source = readFileSync(join(ROOT, mutant.file), 'utf8');
      const planted = plant(mutant, source);
      expect(planted).not.toBe(source);
      expect(mutant.file).toMatch(/^core\/(?!.*\.test\.ts$)/);
      expect(mutant.story.length).toBeGreaterThan(20);
      expect(mutant.expected.length).toBeGreaterThan(0);
    });
  }

  it('has a name of its own, and is refused when its text is not there exactly once', () => {
    expect(new Set(ALL_MUTANTS.map(({ name }) => name)).size).toBe(ALL_MUTANTS.length);
    const mutant = { ...ALL_MUTANTS[0]!, find: 'one' };
    expect(plant({ ...mutant, replace: 'two' }, 'one!')).toBe('two!');
    expect(() => plant(mutant, 'nobody')).toThrow(RottenMutant);
    expect(() => plant(mutant, 'one one')).toThrow(/occurs 2 times/);
  });
});
