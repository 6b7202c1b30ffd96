import { scenarioOfSeed } from '../properties/scenario-of-seed.ts';
import type { Failure } from '../trace/failure.ts';
import { groupOf } from '../trace/failure.ts';
import type { Found } from './campaign-work.ts';
import { reportFailure, type SavedFailure } from './failure-report.ts';
import { shrinkFailure } from './shrink-failure.ts';

/** Failures of one kind: same verdict, same cause, and the same faults are necessary. */
export interface FailureGroup {
  readonly name: string;
  readonly saved: SavedFailure;
}

/** Witnesses shrunk for each cause: enough to see whether there is more than one defect behind it. */
const WITNESSES = 3;

/**
 * Shrinks a few of the seeds that failed for each cause, the fastest and the oldest first, and groups what is left. A
 * hundred failing seeds are seldom more than two defects.
 *
 * @param seconds for all the shrinking together.
 */
export function groupFailures(
  found: readonly Found[],
  seeds: number,
  seconds: number,
  onStart: (cause: string, seed: number) => void,
): FailureGroup[] {
  const byCause = new Map<string, Found[]>();
  for (const failure of found) {
    const cause = `${failure.key.verdict} ${failure.key.cause}`;
    byCause.set(cause, [...(byCause.get(cause) ?? []), failure]);
  }
  const groups = new Map<string, { failure: Failure; found: Found[] }>();
  const each = seconds / Math.max(1, byCause.size * WITNESSES);
  for (const [cause, all] of byCause) {
    for (const witness of witnessesOf(all)) {
      onStart(cause, witness.seed);
      const failure = shrinkFailure(scenarioOfSeed(witness.seed), witness.seed, {
        seconds: each,
        maxRuns: 20_000,
      });
      if (failure === undefined) continue;
      const name = groupOf(failure);
      const known = groups.get(name);
      if (known === undefined || sizeOf(failure) < sizeOf(known.failure))
        groups.set(name, { failure, found: all });
    }
  }
  return [...groups].map(([name, { failure, found: all }]) => {
    const fastest = all.reduce((a, b) => (b.events < a.events ? b : a));
    const rate = { failed: all.length, seeds, fastestEvents: fastest.events, fastestSeed: fastest.seed };
    return { name, saved: reportFailure(failure, rate) };
  });
}

function sizeOf(failure: Failure): number {
  return failure.scenario.ops.length + failure.scenario.faults.length;
}

/** The fastest ones, and the one that was found first. */
function witnessesOf(found: readonly Found[]): Found[] {
  const byEvents = [...found].sort((a, b) => a.events - b.events);
  const oldest = found[0];
  const chosen = new Set([
    ...byEvents.slice(0, WITNESSES - 1),
    ...(oldest === undefined ? [] : [oldest]),
    ...byEvents,
  ]);
  return [...chosen].slice(0, WITNESSES);
}
