import { existsSync } from 'node:fs';
import { scenarioOfSeed, seedOfText } from '../properties/scenario-of-seed.ts';
import { readScenarioFile, type ScenarioFile } from './scenario-file.ts';
import { UsageError } from './sim-flags.ts';

/** What a command was pointed at: a file, or the scenario of a seed. */
export interface ScenarioArgument {
  readonly file: ScenarioFile;
  readonly seed: number | undefined;
}

/**
 * Reads FILE or SEED.
 * @throws UsageError when there is not exactly one. @throws ScenarioFileError when the file is no scenario.
 */
export function scenarioArgument(command: string, rest: readonly string[]): ScenarioArgument {
  const [text, more] = rest;
  if (text === undefined || more !== undefined) {
    throw new UsageError(`${command} takes one argument: the file of a scenario, or a seed`);
  }
  if (existsSync(text)) return { file: readScenarioFile(text), seed: undefined };
  const seed = seedOfText(text);
  if (seed === undefined)
    throw new UsageError(`${command}: there is no file ${text}, and it is no seed either`);
  const file = { story: '', failed: undefined, hash: undefined, scenario: scenarioOfSeed(seed) };
  return { file, seed };
}
