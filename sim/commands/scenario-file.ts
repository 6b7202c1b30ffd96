import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { checkScenario } from '../properties/check-scenario.ts';
import type { Scenario } from '../scenario.ts';

/** A scenario as a file: a failure that was found, or a regression that is kept. */
export interface ScenarioFile {
  /** What happens, for people. */
  readonly story: string;
  /** "safety order-per-chat" when it was saved; undefined for a bare scenario. */
  readonly failed: string | undefined;
  /** State hash of the run when it was saved. */
  readonly hash: string | undefined;
  /** In a regression: the planted bug of sim/mutants/ that turns it red. */
  readonly red?: string | undefined;
  readonly scenario: Scenario;
}

/** Where failures go, from the folder the command was started in. Not committed. */
export const FAILURES = 'failures';

/** The file is not a scenario; the message names the fields. */
export class ScenarioFileError extends Error {
  override readonly name = 'ScenarioFileError';
}

/** @throws ScenarioFileError when the file cannot be read, is no JSON or no scenario. */
export function readScenarioFile(path: string): ScenarioFile {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new ScenarioFileError(
      `${path}: cannot be read (${error instanceof Error ? error.message : String(error)})`,
      {
        cause: error,
      },
    );
  }
  return parseScenarioFile(path, text);
}

/** @param path names the file in messages. @throws ScenarioFileError */
export function parseScenarioFile(path: string, text: string): ScenarioFile {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new ScenarioFileError(
      `${path}: is not JSON (${error instanceof Error ? error.message : String(error)})`,
      {
        cause: error,
      },
    );
  }
  const file = (typeof value === 'object' && value !== null ? value : {}) as Partial<Record<string, unknown>>;
  const check = checkScenario(file['scenario'] ?? value);
  if (!check.ok) throw new ScenarioFileError(`${path}: is not a scenario\n  ${check.problems.join('\n  ')}`);
  const text1 = (name: string): string | undefined => {
    const field = file[name];
    return typeof field === 'string' ? field : undefined;
  };
  return {
    story: text1('story') ?? '',
    failed: text1('failed'),
    hash: text1('hash'),
    red: text1('red'),
    scenario: check.scenario,
  };
}

/** One operation, fault or chat a line, so that a diff of two scenarios can be read. */
export function formatScenarioFile(file: ScenarioFile): string {
  const { scenario } = file;
  const list = (items: readonly unknown[], indent: string): string =>
    items.length === 0
      ? '[]'
      : `[\n${items.map((item) => `${indent}  ${JSON.stringify(item)}`).join(',\n')}\n${indent}]`;
  const { chats, ...nodes } = scenario.topology;
  const topology = JSON.stringify(nodes).slice(0, -1);
  const head = { story: file.story, failed: file.failed, hash: file.hash, red: file.red };
  const lines = Object.entries(head)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `  ${JSON.stringify(name)}: ${JSON.stringify(value)},`);
  return `${[
    '{',
    ...lines,
    '  "scenario": {',
    `    "version": ${scenario.version},`,
    `    "seed": ${scenario.seed},`,
    `    "topology": ${topology},"chats":${list(chats, '    ')}},`,
    `    "knobs": ${JSON.stringify(scenario.knobs)},`,
    `    "ops": ${list(scenario.ops, '    ')},`,
    `    "faults": ${list(scenario.faults, '    ')}`,
    '  }',
    '}',
  ].join('\n')}\n`;
}

/**
 * Saves a failing scenario. Its name comes from what it is, so the same failure found again is the same file.
 * @returns the path, from the current folder.
 */
export function saveFailure(name: string, file: ScenarioFile, folder = FAILURES): string {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, `${name}.json`);
  writeFileSync(path, formatScenarioFile(file));
  return relative('.', path);
}
