import type { Judge } from '../oracles/judge.ts';
import { judgeScenario } from '../oracles/judge-scenario.ts';
import { runScenario } from '../run.ts';
import type { RunOptions, RunResult } from '../run-result.ts';
import type { Scenario } from '../scenario.ts';

export interface JudgedOptions extends Omit<RunOptions, 'judge'> {
  /** Gets the judge of the run, to be asked afterwards. */
  readonly onJudge?: (judge: Judge) => void;
}

/** Runs a scenario with every promise watched. */
export function runJudged(scenario: Scenario, options: JudgedOptions): RunResult {
  const { onJudge, ...rest } = options;
  return runScenario(scenario, {
    ...rest,
    judge: (setting) => {
      const judge = judgeScenario(setting);
      onJudge?.(judge);
      return judge;
    },
  });
}
