import type { Limits } from '../../core/contract/limits.ts';
import { allOracles } from './all-oracles.ts';
import { History } from './history.ts';
import type { LatencyCount } from './latency.ts';
import type { Observation } from './observation.ts';
import type { Oracle, PromiseName, Violation } from './oracle.ts';
import { owed } from './owed.ts';

export interface JudgeOptions {
  readonly limits: Limits;
  /**
   * Commits are reported as they happen (simulation). Otherwise the store is read afterwards, and what must be durable
   * at the time of an ACK is checked at the end.
   */
  readonly commitsSeen: 'at-once' | 'afterwards';
  /** Largest acceptable p99 from send to show, in microseconds; undefined where the load or the knobs make it meaningless. */
  readonly latencyLimit: number | undefined;
  /** Everything that devices show and users read is reported: what became of it can be demanded. */
  readonly receiptsOwed?: boolean;
  /** Only these promises; all of them when undefined. */
  readonly only?: readonly PromiseName[];
}

/** All promises over one history. */
export interface Judge {
  /** @param at microseconds, never going back. @returns the first violation; after it the judge is of no more use. */
  observe(observation: Observation, at: number): Violation | undefined;
  /**
   * Nobody who is served waits for anything: no message unseen, no send open, no presence wrong. A run may end then.
   * Cheap enough to be asked every few hundred events, not at each.
   */
  settled(): boolean;
  /** Who is stuck and what each waits for; empty when settled. */
  stuck(): readonly string[];
  /** Deliveries timed so far: summed over a campaign they tell its p99. */
  readonly latencyCount: Readonly<LatencyCount>;
}

/** Starts to judge a history from its beginning. */
export function createJudge(options: JudgeOptions): Judge {
  const history = new History();
  const latencyCount: LatencyCount = { timed: 0, slow: 0, slowest: 0 };
  const oracles = allOracles(history, options, latencyCount).filter(
    (oracle) => options.only === undefined || options.only.includes(oracle.name),
  );
  const watchers = new Map<Observation['kind'], Oracle[]>();
  for (const oracle of oracles) {
    for (const kind of oracle.watches) watchers.set(kind, [...(watchers.get(kind) ?? []), oracle]);
  }
  return {
    observe(observation, at) {
      history.resolve(observation);
      const interested = watchers.get(observation.kind);
      if (interested !== undefined) {
        for (let i = 0; i < interested.length; i++) {
          const oracle = interested[i]!;
          const violation = oracle.observe(observation, at);
          // A good thing that is suspended may take longer: an alarm would be none. A bad one is bad whatever fails.
          if (violation === undefined) continue;
          if (violation.phase === 'safety' || !history.suspended.includes(oracle.name)) return violation;
        }
      }
      history.absorb(observation, at);
      return undefined;
    },
    settled: () => owed(history, 1).length === 0 && oracles.every((oracle) => oracle.settled?.() ?? true),
    stuck: () => owed(history, 12),
    latencyCount,
  };
}
