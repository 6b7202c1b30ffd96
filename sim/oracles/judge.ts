import type { Limits } from '../../core/contract/limits.ts';
import { ABSORBERS } from './absorb.ts';
import { allOracles } from './all-oracles.ts';
import { History } from './history.ts';
import type { LatencyCount } from './latency.ts';
import type { Observation } from './observation.ts';
import type { Oracle, PromiseName, Violation } from './oracle.ts';
import { owed } from './owed.ts';
import { RESOLVERS } from './resolve.ts';

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
  const plans = plansOf(oracles);
  return {
    observe(observation, at) {
      const { resolve, watchers, absorb } = plans.get(observation.kind)!;
      history.clear();
      resolve(history, observation);
      for (let i = 0; i < watchers.length; i++) {
        const { name, watch } = watchers[i]!;
        const violation = watch(observation, at);
        // A good thing that is suspended may take longer: an alarm would be none. A bad one is bad whatever fails.
        if (violation === undefined) continue;
        if (violation.phase === 'safety' || !history.suspended.includes(name)) return violation;
      }
      absorb?.(history, observation, at);
      return undefined;
    },
    settled: () => owed(history, 1).length === 0 && oracles.every((oracle) => oracle.settled?.() ?? true),
    stuck: () => owed(history, 12),
    latencyCount,
  };
}

type Kind = Observation['kind'];
type Watch = (observation: Observation, at: number) => Violation | undefined;

/** What becomes of the observations of one kind: who watches is known before the first of them. */
interface Plan {
  readonly resolve: (history: History, observation: Observation) => void;
  readonly watchers: { readonly name: PromiseName; readonly watch: Watch }[];
  readonly absorb: ((history: History, observation: Observation, at: number) => void) | undefined;
}

const KINDS = Object.keys(RESOLVERS) as readonly Kind[];

function plansOf(oracles: readonly Oracle[]): ReadonlyMap<Kind, Plan> {
  const plans = new Map<Kind, Plan>();
  for (const kind of KINDS) {
    const resolve = RESOLVERS[kind] as Plan['resolve'];
    plans.set(kind, { resolve, watchers: [], absorb: ABSORBERS[kind] as Plan['absorb'] });
  }
  for (const { name, on } of oracles) {
    for (const kind of Object.keys(on) as readonly Kind[])
      plans.get(kind)!.watchers.push({ name, watch: on[kind] as Watch });
  }
  return plans;
}
