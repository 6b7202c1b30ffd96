import type { Judge } from '../oracles/judge.ts';
import { runJudged } from '../properties/run-judged.ts';
import { scenarioOfSeed } from '../properties/scenario-of-seed.ts';
import type { RunResult, Verdict } from '../run-result.ts';
import { failureKey, type FailureKey, failureState } from '../trace/failure.ts';
import { HashRecorder } from './hash-recorder.ts';

/** A stretch of seeds for one worker. */
export interface Chunk {
  readonly from: number;
  readonly count: number;
  /** Runs every seed a second time and compares. */
  readonly twice: boolean;
  /** Wants the hash of every run back. */
  readonly hashes: boolean;
  readonly stopAtFailure: boolean;
}

/** A seed that failed. */
export interface Found {
  readonly seed: number;
  readonly key: FailureKey;
  /** What the machines were at, see `failureState`. */
  readonly state: string;
  readonly events: number;
}

/** A seed that ran differently the second time. */
export interface Different {
  readonly seed: number;
  /** Position of the first event that differed. */
  readonly event: number;
}

/** What became of a chunk; sums, so that chunks add up. JSON-safe. */
export interface ChunkReport {
  readonly from: number;
  readonly seeds: number;
  /** Twice as many where every seed runs twice. */
  readonly runs: number;
  readonly events: number;
  readonly simulatedMicros: number;
  readonly verdicts: Readonly<Record<Verdict, number>>;
  readonly found: readonly Found[];
  readonly different: readonly Different[];
  /** Seeds that reached each probe. */
  readonly probes: Readonly<Record<string, number>>;
  readonly timed: number;
  readonly slow: number;
  /** By seed, from `from` on; empty unless asked for. */
  readonly hashes: readonly string[];
}

/** Events of one run before it is given up: hundreds of times more than a usual one takes. */
export const MAX_EVENTS = 2_000_000;

/** Seeds are 32 bits; a campaign that comes to the end goes on at 0. */
export const seedAt = (from: number, offset: number): number => (from + offset) % 2 ** 32;

export function runChunk(chunk: Chunk): ChunkReport {
  const sum: Sum = { seeds: 0, runs: 0, events: 0, simulatedMicros: 0, timed: 0, slow: 0 };
  const verdicts: Record<Verdict, number> = { pass: 0, safety: 0, liveness: 0, crash: 0, budget: 0 };
  const found: Found[] = [];
  const different: Different[] = [];
  const probes: Record<string, number> = {};
  const hashes: string[] = [];
  // What is compared is compared in every field; a run that nobody compares is the faster for it.
  const hashEffects = chunk.twice || chunk.hashes;
  for (let i = 0; i < chunk.count; i++) {
    const seed = seedAt(chunk.from, i);
    const result = runSeed(seed, sum, hashEffects);
    sum.seeds++;
    verdicts[result.verdict]++;
    for (const name of result.probes.keys()) probes[name] = (probes[name] ?? 0) + 1;
    if (chunk.hashes) hashes.push(bothHashes(result));
    const key = failureKey(result);
    if (key !== undefined) found.push({ seed, key, state: failureState(result), events: result.events });
    if (chunk.twice) {
      const again = runSeed(seed, sum, hashEffects);
      if (bothHashes(again) !== bothHashes(result)) different.push({ seed, event: firstDifference(seed) });
    }
    if (key !== undefined && chunk.stopAtFailure) break;
  }
  return { from: chunk.from, ...sum, verdicts, found, different, probes, hashes };
}

interface Sum {
  seeds: number;
  runs: number;
  events: number;
  simulatedMicros: number;
  timed: number;
  slow: number;
}

const bothHashes = ({ hash, effectHash = '' }: RunResult): string => hash + effectHash;

function runSeed(seed: number, sum: Sum, hashEffects: boolean): RunResult {
  let judge: Judge | undefined;
  const result = runJudged(scenarioOfSeed(seed), {
    maxEvents: MAX_EVENTS,
    hashEffects,
    onJudge: (created) => {
      judge = created;
    },
  });
  sum.runs++;
  sum.events += result.events;
  sum.simulatedMicros += result.simulatedMicros;
  sum.timed += judge?.latencyCount.timed ?? 0;
  sum.slow += judge?.latencyCount.slow ?? 0;
  return result;
}

/** @returns the position of the first event after which two runs of a seed differ. */
function firstDifference(seed: number): number {
  const [a, b] = [new HashRecorder(), new HashRecorder()];
  for (const hashes of [a, b])
    runJudged(scenarioOfSeed(seed), { maxEvents: MAX_EVENTS, hashes, hashEffects: true });
  return a.firstDifference(b);
}
