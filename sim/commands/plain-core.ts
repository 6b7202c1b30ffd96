import { runJudged } from '../properties/run-judged.ts';
import { scenarioOfSeed } from '../properties/scenario-of-seed.ts';
import type { Scenario } from '../scenario.ts';
import { failureKey, type FailureKey } from '../trace/failure.ts';
import { parseScenarioFile } from './scenario-file.ts';

/** Events of one run in a hunt. A run that takes more has not been judged: that is no failure, and no kill. */
export const MAX_HUNT_EVENTS = 500_000;

/** What fails in the core as it is, with no bug planted. */
export interface PlainFailure {
  /** "seed 1394", or "the shrunk scenario of seed 1394". */
  readonly what: string;
  readonly key: FailureKey;
}

/**
 * Whether a kill is the mutant's at all. A seed that is red in the plain core as well proves nothing about the simulator,
 * and a scenario that shrinking has led from the planted bug to another one proves the wrong thing.
 *
 * @param kill the seed that failed with the mutant, and the file of what it was shrunk to.
 * @param judge runs a scenario in the plain core; only a test gives another.
 * @returns undefined when both pass.
 */
export function failsWithoutMutant(
  kill: { readonly seed: number; readonly file: string },
  judge: (scenario: Scenario) => FailureKey | undefined = plainVerdict,
): PlainFailure | undefined {
  const seed = judge(scenarioOfSeed(kill.seed));
  if (seed !== undefined) return { what: `seed ${kill.seed}`, key: seed };
  const shrunk = judge(parseScenarioFile('the shrunk scenario', kill.file).scenario);
  return shrunk === undefined ? undefined : { what: `the shrunk scenario of seed ${kill.seed}`, key: shrunk };
}

function plainVerdict(scenario: Scenario): FailureKey | undefined {
  const key = failureKey(runJudged(scenario, { maxEvents: MAX_HUNT_EVENTS }));
  return key?.verdict === 'budget' ? undefined : key;
}
