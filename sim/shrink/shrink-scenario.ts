import { checkScenario } from '../properties/check-scenario.ts';
import type { Scenario } from '../scenario.ts';
import type { Attempt, Pass } from './attempt.ts';
import { removeEvents } from './remove-events.ts';
import { resetKnobs } from './reset-knobs.ts';
import { shrinkTopology } from './shrink-topology.ts';
import { simplifyTimes } from './simplify-times.ts';

export interface ShrinkOptions {
  /** Runs a candidate. @returns whether it fails in the same way: same verdict, same oracle. */
  fails(candidate: Scenario): boolean;
  /** Most candidates run. */
  readonly maxRuns: number;
  /** Whether the time for shrinking is over. The clock is the caller's. */
  expired(): boolean;
  /** Told of each simpler scenario that still fails. */
  onProgress?(best: Scenario, runs: number): void;
}

export interface ShrinkResult {
  /** The simplest found. It fails as the first did. */
  readonly scenario: Scenario;
  readonly runs: number;
  /** Whether no single step makes it simpler; false when time or runs were used up before that was known. */
  readonly minimal: boolean;
}

/** In this order: without half of the events every later candidate runs twice as fast. */
const PASSES: readonly Pass[] = [removeEvents, shrinkTopology, resetKnobs, simplifyTimes];

/**
 * Makes a failing scenario as simple as it gets: passes over events, topology, knobs and times, repeated until none of
 * them finds anything. Every step takes something away or lowers a number, so it ends by itself.
 *
 * @param scenario one that fails; it is not run again as it is.
 */
export function shrinkScenario(scenario: Scenario, options: ShrinkOptions): ShrinkResult {
  let runs = 0;
  let stopped = false;
  let best = scenario;
  // Passes come back to candidates that an earlier round has refused.
  const refused = new Set<string>();
  const attempt: Attempt = (candidate) => {
    stopped ||= runs >= options.maxRuns || options.expired();
    if (stopped) return false;
    const key = JSON.stringify(candidate);
    if (refused.has(key) || !checkScenario(candidate).ok) return false;
    runs++;
    if (!options.fails(candidate)) {
      refused.add(key);
      return false;
    }
    options.onProgress?.(candidate, runs);
    return true;
  };
  for (;;) {
    const before = best;
    for (const pass of PASSES) best = pass(best, attempt);
    if (stopped || JSON.stringify(best) === JSON.stringify(before))
      return { scenario: best, runs, minimal: !stopped };
  }
}

/** @returns how many operations and faults a scenario has: what is counted as its size. */
export function scenarioSize(scenario: Scenario): number {
  return scenario.ops.length + scenario.faults.length;
}
