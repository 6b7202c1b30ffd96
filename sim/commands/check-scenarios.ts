import fc from 'fast-check';
import { judgeWithOwn, type Observed, type OwnOracle, ownViolation } from '../properties/own-oracle.ts';
import { type ScenarioChoice, scenarios } from '../properties/scenarios.ts';
import { runScenario } from '../run.ts';
import type { RunResult, RunSetting } from '../run-result.ts';
import type { Scenario } from '../scenario.ts';
import { scenarioSize, shrinkScenario } from '../shrink/shrink-scenario.ts';
import { type Failure, faultKindsOf, failureKey, type FailureKey, sameFailure } from '../trace/failure.ts';
import { reportFailure } from './failure-report.ts';
import { readScenarioFile } from './scenario-file.ts';

/** A finished run, for a property to speak about. */
export interface CheckedRun {
  readonly result: RunResult;
  readonly scenario: Scenario;
  /** Everything that devices showed and the store committed, in order (sim/oracles/observation.ts). */
  readonly observations: readonly Observed[];
}

export interface CheckOptions {
  /** Says what is wrong with a run in which every promise of Parley held; undefined when nothing is. */
  readonly property?: (run: CheckedRun) => string | undefined;
  /** Names the property in the report. Default "the property". */
  readonly name?: string;
  /** Promises that are watched while a run goes on. */
  readonly oracles?: readonly ((setting: RunSetting) => OwnOracle)[];
  /** How many scenarios are drawn. Default 100. */
  readonly runs?: number;
  /** For the draws of fast-check, 32 bits. Default: another one each time; the report names it. */
  readonly seed?: number;
  /** Which kinds of fault and operation. Default: all of them. */
  readonly only?: ScenarioChoice;
  /** Seconds for all runs; being late is a failure. Default: no limit. */
  readonly seconds?: number;
  /** Seconds for finishing the shrink of a failure. Default 20. */
  readonly shrinkSeconds?: number;
  /** Where a failure is saved. Default failures/, from the current folder. */
  readonly folder?: string;
}

/** What became of a check that found nothing. */
export interface CheckSummary {
  readonly runs: number;
  readonly events: number;
  readonly seed: number;
}

/** Some scenario fails. The message is the report; `path` is where its scenario was saved. */
export class ScenarioFailure extends Error {
  override readonly name = 'ScenarioFailure';
  readonly path: string;
  readonly failure: Failure;

  constructor(report: string, path: string, failure: Failure) {
    super(report);
    this.path = path;
    this.failure = failure;
  }
}

/** Set to the path of a saved scenario, it is the only one that runs: to see a failure of a property again. */
export const SCENARIO_VARIABLE = 'PARLEY_SCENARIO';

/** fast-check shrinks without a limit of its own; after this long the delta debugging of sim/shrink/ goes on. */
const FIRST_SHRINK_SECONDS = 5;
const MAX_EVENTS = 2_000_000;
const MAX_SHRINK_RUNS = 50_000;

/**
 * Draws scenarios with fast-check, runs each and judges it by every promise of Parley and by the property and the
 * oracles given. For tests of one's own.
 *
 * @throws ScenarioFailure with the report of `parley sim run` when one fails: shrunk, saved, with the command to replay it.
 * @throws Error when the time was over before all runs were done, or `only` names something that does not exist.
 */
export function checkScenarios(options: CheckOptions = {}): CheckSummary {
  const file = process.env[SCENARIO_VARIABLE];
  const check = new ScenarioCheck(options);
  if (file !== undefined && file !== '') return check.one(readScenarioFile(file).scenario);
  return check.all();
}

class ScenarioCheck {
  readonly #options: CheckOptions;
  readonly #seed: number;
  #runs = 0;
  #events = 0;
  /** The first failure; what does not fail in the same way is another one, for another day. */
  #key: FailureKey | undefined;
  #foundSize = 0;
  #foundAt = 0;
  /** The simplest that fails in the same way. */
  #best: Scenario | undefined;

  constructor(options: CheckOptions) {
    this.#options = options;
    this.#seed = options.seed ?? Math.floor(Math.random() * 2 ** 32);
  }

  one(scenario: Scenario): CheckSummary {
    this.#holds(scenario);
    return this.#finished();
  }

  all(): CheckSummary {
    const { only, runs = 100, seconds } = this.#options;
    const property = fc.property(scenarios(only), (scenario) => this.#holds(scenario));
    const limit =
      seconds === undefined ? {} : { interruptAfterTimeLimit: seconds * 1_000, markInterruptAsFailure: true };
    // fast-check takes seeds with a sign.
    const done = fc.check(property, { numRuns: runs, seed: this.#seed | 0, ...limit });
    if (this.#best === undefined && done.failed) {
      const why = done.interrupted
        ? `were done in ${seconds} s: give it more time or fewer runs`
        : 'were drawn';
      throw new Error(`only ${done.numRuns} of ${runs} runs ${why}`, { cause: done.errorInstance });
    }
    return this.#finished();
  }

  #holds(scenario: Scenario): boolean {
    if (this.#key === undefined) {
      this.#runs++;
      const result = this.#run(scenario);
      this.#events += result.events;
      this.#key = failureKey(result);
      if (this.#key === undefined) return true;
      this.#foundSize = scenarioSize(scenario);
      this.#foundAt = performance.now();
    } else {
      // To call it good ends the shrink of fast-check soon: candidates cost nothing any more.
      if (performance.now() - this.#foundAt > FIRST_SHRINK_SECONDS * 1_000) return true;
      if (!sameFailure(this.#key, failureKey(this.#run(scenario)))) return true;
    }
    this.#best = scenario;
    return false;
  }

  #run(scenario: Scenario): RunResult {
    const { oracles = [], property, name = 'the property' } = this.#options;
    const observations: Observed[] = [];
    const keep = property === undefined ? () => {} : (observed: Observed) => observations.push(observed);
    const result = runScenario(scenario, {
      maxEvents: MAX_EVENTS,
      judge: (setting) => {
        const own = oracles.map((oracle) => oracle(setting));
        return judgeWithOwn(setting, own, keep);
      },
    });
    if (result.verdict !== 'pass' || property === undefined) return result;
    const wrong = property({ result, scenario, observations });
    if (wrong === undefined) return result;
    return { ...result, verdict: 'safety', violation: ownViolation(name, result.simulatedMicros, wrong) };
  }

  #finished(): CheckSummary {
    if (this.#best === undefined || this.#key === undefined) {
      return { runs: this.#runs, events: this.#events, seed: this.#seed };
    }
    const failure = this.#shrunk(this.#best, this.#key);
    const { path, lines } = reportFailure(failure, undefined, this.#options.folder);
    const found = `  drawn       run ${this.#runs} of this check, with its seed: ${this.#seed}`;
    const again = `  judge       ${SCENARIO_VARIABLE}=${path} and the same test again`;
    throw new ScenarioFailure(['a scenario fails', ...lines, found, again].join('\n'), path, failure);
  }

  #shrunk(scenario: Scenario, key: FailureKey): Failure {
    const seconds = this.#options.shrinkSeconds ?? 20;
    const started = performance.now();
    const shrunk = shrinkScenario(scenario, {
      fails: (candidate) => sameFailure(key, failureKey(this.#run(candidate))),
      maxRuns: MAX_SHRINK_RUNS,
      expired: () => performance.now() - started > seconds * 1_000,
    });
    return {
      key,
      scenario: shrunk.scenario,
      result: this.#run(shrunk.scenario),
      seed: undefined,
      foundSize: this.#foundSize,
      minimal: shrunk.minimal,
      necessaryFaults: faultKindsOf(shrunk.scenario),
    };
  }
}
