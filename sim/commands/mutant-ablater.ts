import { runJudged } from '../properties/run-judged.ts';
import { scenarioOfSeed } from '../properties/scenario-of-seed.ts';
import type { Scenario } from '../scenario.ts';
import { failureKey } from '../trace/failure.ts';
import { ablate, type AblationOrder } from './ablation.ts';
import { MAX_HUNT_EVENTS } from './plain-core.ts';

function isRed(scenario: Scenario): boolean {
  const key = failureKey(runJudged(scenario, { maxEvents: MAX_HUNT_EVENTS }));
  return key !== undefined && key.verdict !== 'budget';
}

/** A process whose core has a mutant planted in it. */
process.on('message', (order: AblationOrder) => process.send?.(ablate(order, scenarioOfSeed, isRed)));
process.on('disconnect', () => process.exit(0));
