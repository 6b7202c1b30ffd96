import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { replayMutant } from '../commands/replay-mutant.ts';
import { readScenarioFile } from '../commands/scenario-file.ts';
import { ALL_MUTANTS } from '../mutants/all-mutants.ts';
import { runJudged } from '../properties/run-judged.ts';

const FILES = readdirSync(import.meta.dirname).filter((name) => name.endsWith('.json'));
const REGRESSIONS = FILES.map((name) => ({ name, ...readScenarioFile(join(import.meta.dirname, name)) }));

describe('every regression', { timeout: 60_000 }, () => {
  it('tells its story, and there are some', () => {
    expect(REGRESSIONS.length).toBeGreaterThan(10);
    for (const { name, story } of REGRESSIONS) expect(story.length, name).toBeGreaterThan(40);
  });

  for (const { name, story, scenario } of REGRESSIONS) {
    it(`${name} passes`, () => {
      const { verdict, violation, crash } = runJudged(scenario, {});
      const what = violation === undefined ? crash?.message : `${violation.oracle}: ${violation.observed}`;
      const next = `./parley sim replay sim/regressions/${name}`;
      expect(verdict, `${story}\n  now: ${what}\n  next: ${next}`).toBe('pass');
    });
  }
});

describe('what a regression stands for', { timeout: 60_000 }, () => {
  for (const { name, scenario, red } of REGRESSIONS) {
    if (red === undefined) continue;
    it(`${name} turns red when ${red} is planted`, async () => {
      expect(ALL_MUTANTS.map((mutant) => mutant.name)).toContain(red);
      const [replay] = await replayMutant(red, [scenario]);
      expect(replay?.failed?.verdict, `${red} is planted and ${name} still passes`).toMatch(
        /^(safety|liveness|crash)$/,
      );
    });
  }
});
