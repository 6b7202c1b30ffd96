import { scenarioOfSeed } from '../properties/scenario-of-seed.ts';
import { type Failure, faultKindsOf, groupOf } from '../trace/failure.ts';
import type { Found } from './campaign-work.ts';
import { type Rate, reportFailure, type SavedFailure } from './failure-report.ts';
import { shrinkFailure } from './shrink-failure.ts';

/** Failures of one kind: same verdict, same cause, same state of the machines, and the same faults are necessary. */
export interface FailureGroup {
  readonly name: string;
  readonly saved: SavedFailure;
}

/** Witnesses shrunk for each cause and state: enough to see whether there is more than one defect behind it. */
const WITNESSES = 3;

interface Group {
  failure: Failure;
  readonly found: Found[];
}

/**
 * Shrinks a few of the seeds that failed for each cause and state, the fastest and the oldest first, and groups what is
 * left. A hundred failing seeds are seldom more than two defects. A seed that was not shrunk belongs to the first group of
 * its cause and state whose necessary faults it has.
 *
 * @param found in the order in which they were found. @param seconds for all the shrinking together.
 */
export function groupFailures(
  found: readonly Found[],
  seeds: number,
  seconds: number,
  onStart: (cause: string, seed: number) => void,
): FailureGroup[] {
  const alike = new Map<string, Found[]>();
  for (const failure of found) {
    const cause = `${failure.key.verdict} ${failure.key.cause}`;
    const key = `${cause}: ${failure.state}`;
    alike.set(key, [...(alike.get(key) ?? []), failure]);
  }
  const groups = new Map<string, Group>();
  const each = seconds / Math.max(1, alike.size * WITNESSES);
  for (const all of alike.values()) {
    const own = new Map<string, Group>();
    for (const witness of witnessesOf(all)) {
      onStart(`${witness.key.verdict} ${witness.key.cause}`, witness.seed);
      const limits = { seconds: each, maxRuns: 20_000 };
      const failure = shrinkFailure(scenarioOfSeed(witness.seed), witness.seed, limits);
      if (failure === undefined) continue;
      const name = groupOf(failure);
      const known = own.get(name) ?? groups.get(name) ?? { failure, found: [] };
      if (sizeOf(failure) < sizeOf(known.failure)) known.failure = failure;
      own.set(name, known);
      groups.set(name, known);
    }
    for (const failed of all) groupFor(failed, [...own.values()])?.found.push(failed);
  }
  return [...groups].map(([name, { failure, found: those }]) => {
    return { name, saved: reportFailure(failure, rateOf(those, failure, seeds)) };
  });
}

function groupFor({ seed }: Found, groups: readonly Group[]): Group | undefined {
  const kinds = faultKindsOf(scenarioOfSeed(seed));
  const fits = groups.find(({ failure }) => failure.necessaryFaults.every((kind) => kinds.includes(kind)));
  return fits ?? groups[0];
}

function rateOf(found: readonly Found[], failure: Failure, seeds: number): Rate {
  const [oldest, ...others] = found;
  const fastest = others.reduce((a, b) => (a !== undefined && b.events >= a.events ? a : b), oldest);
  return {
    failed: found.length,
    seeds,
    fastestEvents: fastest?.events ?? failure.result.events,
    fastestSeed: fastest?.seed ?? failure.seed ?? 0,
    oldestSeed: oldest?.seed ?? failure.seed ?? 0,
  };
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
