import type { Failure } from '../trace/failure.ts';
import { renderFailure } from '../trace/render-failure.ts';
import { exitCodeOf } from './exit-code.ts';
import { saveFailure } from './scenario-file.ts';

export interface Rate {
  readonly failed: number;
  readonly seeds: number;
  readonly fastestEvents: number;
  readonly fastestSeed: number;
  /** The seed with which it was found first. */
  readonly oldestSeed: number;
}

/** A failure that was saved, and its report. */
export interface SavedFailure {
  readonly failure: Failure;
  readonly path: string;
  readonly replay: string;
  readonly lines: readonly string[];
}

/** Saves the scenario of a failure and puts its report into words. @param folder where to, relative to the current one. */
export function reportFailure(failure: Failure, rate: Rate | undefined, folder?: string): SavedFailure {
  const name = `${failure.key.cause.replace(/[^a-z0-9]+/gi, '-').slice(0, 40)}-${failure.result.hash.slice(0, 8)}`;
  const file = {
    story: storyOf(failure),
    failed: `${failure.key.verdict} ${failure.key.cause}`,
    hash: failure.result.hash,
    scenario: failure.scenario,
  };
  const path = saveFailure(name, file, folder);
  const replay = `./parley sim replay ${path}`;
  const exitCode = exitCodeOf(failure.key.verdict);
  return { failure, path, replay, lines: renderFailure(failure, { exitCode, path, replay, rate }) };
}

function storyOf(failure: Failure): string {
  const { violation, crash } = failure.result;
  if (violation !== undefined) return `Expected: ${violation.expected}. Observed: ${violation.observed}.`;
  return crash === undefined ? 'The run never ends.' : `${crash.node} throws: ${crash.message}`;
}
