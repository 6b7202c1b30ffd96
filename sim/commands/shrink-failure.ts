import { runJudged } from '../properties/run-judged.ts';
import type { RunResult } from '../run-result.ts';
import type { Scenario } from '../scenario.ts';
import { scenarioSize, shrinkScenario } from '../shrink/shrink-scenario.ts';
import { type Failure, failureKey, faultKindsOf, sameFailure } from '../trace/failure.ts';

export interface ShrinkLimits {
  readonly seconds: number;
  readonly maxRuns: number;
  /** Told of each simpler scenario that still fails. */
  onProgress?(size: number, runs: number): void;
}

/**
 * Shrinks a failing scenario within a time, then runs the simplest one again with its last events on record.
 * @param seed the seed it was found with, if any.
 * @returns undefined when the scenario does not fail.
 */
export function shrinkFailure(
  scenario: Scenario,
  seed: number | undefined,
  limits: ShrinkLimits,
): Failure | undefined {
  const first = runJudged(scenario, {});
  const key = failureKey(first);
  if (key === undefined) return undefined;
  const started = performance.now();
  // A candidate that goes on much longer than the first run is not simpler.
  const maxEvents = Math.max(50_000, first.events * 4);
  const shrunk = shrinkScenario(scenario, {
    fails: (candidate) => sameFailure(key, failureKey(runJudged(candidate, { maxEvents }))),
    maxRuns: limits.maxRuns,
    expired: () => performance.now() - started > limits.seconds * 1_000,
    onProgress: (best, runs) => limits.onProgress?.(scenarioSize(best), runs),
  });
  const result: RunResult = runJudged(shrunk.scenario, {});
  return {
    key,
    scenario: shrunk.scenario,
    result,
    seed,
    foundSize: scenarioSize(scenario),
    minimal: shrunk.minimal,
    necessaryFaults: faultKindsOf(shrunk.scenario),
  };
}
