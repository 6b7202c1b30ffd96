import type { Judge } from '../oracles/judge.ts';
import { judgeScenario } from '../oracles/judge-scenario.ts';
import type { Observation } from '../oracles/observation.ts';
import type { Violation } from '../oracles/oracle.ts';
import type { RunSetting } from '../run-result.ts';

/** A promise of one's own, watched while the run goes on. Made anew for each run. */
export interface OwnOracle {
  /** Named in the report. */
  readonly name: string;
  /**
   * Sees every observation in order. @param at microseconds.
   * @returns what is wrong, for people; undefined when nothing is. The run ends at the first sentence.
   */
  observe(observation: Observation, at: number): string | undefined;
}

/** An observation and when it was made, in microseconds. */
export type Observed = Observation & { readonly at: number };

/** A broken promise of one's own, in the words of the report. */
export function ownViolation(name: string, at: number, observed: string): Violation {
  return { oracle: `own: ${name}`, phase: 'safety', at, expected: `${name} holds`, observed, stuck: [] };
}

/** The judge of every promise of Parley, and then of one's own. @param onObserved is told everything that is observed. */
export function judgeWithOwn(
  setting: RunSetting,
  own: readonly OwnOracle[],
  onObserved: (observed: Observed) => void,
): Judge {
  const judge = judgeScenario(setting);
  return {
    observe(observation, at) {
      onObserved({ ...observation, at });
      const violation = judge.observe(observation, at);
      if (violation !== undefined) return violation;
      for (const oracle of own) {
        const wrong = oracle.observe(observation, at);
        if (wrong !== undefined) return ownViolation(oracle.name, at, wrong);
      }
      return undefined;
    },
    settled: () => judge.settled(),
    stuck: () => judge.stuck(),
    latencyCount: judge.latencyCount,
  };
}
