import type { RunOptions, RunResult } from './run-result.ts';
import type { Scenario } from './scenario.ts';

/** Runs a scenario to its verdict. Never yields, never throws for what happens inside the run. */
export function runScenario(_scenario: Scenario, _options: RunOptions): RunResult {
  throw new Error('the world is not wired yet');
}
