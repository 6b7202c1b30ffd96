import { runPhases } from './run-phases.ts';
import type { RunResult } from './run-result.ts';
import { eventLine } from './world/describe-event.ts';
import { World } from './world/world.ts';

/** Nobody judges this time, so nothing may end the run before its last event. */
const NEVER_SETTLED = { settled: () => false };

/**
 * The last events of a run in words, oldest first. Keeping them costs every run and only a failed one needs them, so they
 * are found by running it again: the same scenario gives the same run, and its hash says whether it did.
 * @param wanted how many, from 0.
 */
export function lastEventsOf(result: RunResult, wanted: number): readonly string[] {
  if (wanted === 0) return [];
  const { scenario, limits } = result.resolved;
  const world = new World({
    scenario,
    limits,
    judge: undefined,
    maxEvents: result.events,
    recentEvents: wanted,
  });
  try {
    runPhases(world, NEVER_SETTLED, world);
  } catch {
    // A crash throws again, where it is wanted.
  }
  const lines = (world.engine.recent?.list() ?? []).map((event) => eventLine(world, event.time, event));
  if (world.engine.hash.text === result.hash) return lines;
  return [`the run did not repeat itself: hash ${world.engine.hash.text}, not ${result.hash}`, ...lines];
}
