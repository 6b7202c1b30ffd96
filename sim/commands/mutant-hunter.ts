import { answerParent } from './answer-parent.ts';
import { scenarioOfSeed } from '../properties/scenario-of-seed.ts';
import { runJudged } from '../properties/run-judged.ts';
import { scenarioSize } from '../shrink/shrink-scenario.ts';
import { failureKey } from '../trace/failure.ts';
import { seedAt } from './campaign-work.ts';
import { MAX_HUNT_EVENTS } from './plain-core.ts';
import { formatScenarioFile } from './scenario-file.ts';
import { shrinkFailure } from './shrink-failure.ts';

/** What the parent wants hunted. */
export interface Hunt {
  readonly from: number;
  readonly seeds: number;
  readonly shrinkSeconds: number;
}

/** How a hunt ended. `killed` undefined: no seed failed. */
export interface HuntReport {
  readonly runs: number;
  readonly events: number;
  readonly huntSeconds: number;
  readonly killed:
    | {
        readonly seed: number;
        readonly verdict: string;
        readonly cause: string;
        readonly foundSize: number;
        readonly size: number;
        readonly shrinkSeconds: number;
        readonly observed: string;
        /** The shrunk scenario as a file. */
        readonly file: string;
      }
    | undefined;
}

function hunt(order: Hunt): HuntReport {
  const started = performance.now();
  let events = 0;
  for (let i = 0; i < order.seeds; i++) {
    const seed = seedAt(order.from, i);
    const result = runJudged(scenarioOfSeed(seed), { maxEvents: MAX_HUNT_EVENTS });
    events += result.events;
    const key = failureKey(result);
    if (key === undefined || key.verdict === 'budget') continue;
    const huntSeconds = (performance.now() - started) / 1_000;
    return { runs: i + 1, events, huntSeconds, killed: shrunk(seed, order.shrinkSeconds) };
  }
  return { runs: order.seeds, events, huntSeconds: (performance.now() - started) / 1_000, killed: undefined };
}

function shrunk(seed: number, seconds: number): HuntReport['killed'] {
  const started = performance.now();
  const failure = shrinkFailure(scenarioOfSeed(seed), seed, { seconds, maxRuns: 50_000 });
  if (failure === undefined)
    throw new Error(`seed ${seed} failed and then passed: the run is not deterministic`);
  const { violation, crash } = failure.result;
  const { verdict, cause } = failure.key;
  const observed = violation?.observed ?? crash?.message ?? '';
  return {
    seed,
    verdict,
    cause: verdict === 'crash' ? 'crash' : cause,
    foundSize: failure.foundSize,
    size: scenarioSize(failure.scenario),
    shrinkSeconds: (performance.now() - started) / 1_000,
    observed,
    file: formatScenarioFile({
      story: observed,
      failed: `${verdict} ${cause}`,
      hash: failure.result.hash,
      scenario: failure.scenario,
    }),
  };
}

/** A process whose core has a mutant planted in it. */
process.on('message', (order: Hunt) => answerParent(hunt(order)));
process.on('disconnect', () => process.exit(0));
