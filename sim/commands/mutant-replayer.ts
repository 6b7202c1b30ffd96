import { answerParent } from './answer-parent.ts';
import { runJudged } from '../properties/run-judged.ts';
import type { Scenario } from '../scenario.ts';
import { failureKey, type FailureKey } from '../trace/failure.ts';

/** What a planted bug makes of a scenario; `failed` undefined: nothing. */
export interface MutantReplay {
  readonly failed: FailureKey | undefined;
  readonly observed: string;
}

const MAX_EVENTS = 500_000;

function replay(scenario: Scenario): MutantReplay {
  const result = runJudged(scenario, { maxEvents: MAX_EVENTS });
  return {
    failed: failureKey(result),
    observed: result.violation?.observed ?? result.crash?.message ?? '',
  };
}

/** A process whose core has a mutant planted in it. */
process.on('message', (scenarios: readonly Scenario[]) => answerParent(scenarios.map(replay)));
process.on('disconnect', () => process.exit(0));
