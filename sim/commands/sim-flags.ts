import { parseArgs } from 'node:util';
import { seedOfText } from '../properties/scenario-of-seed.ts';

/** The command line is wrong; the message names the flag and says what would be right. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** A flag: `value` names what it takes (N, FILE); without it the flag is a switch. */
export interface SimFlag {
  readonly value?: string;
  readonly help: string;
}

export interface ParsedFlags<Names extends string> {
  /** What is not a flag, in order. */
  readonly rest: readonly string[];
  on(name: Names): boolean;
  text(name: Names): string | undefined;
  /** @throws UsageError when it is given and not an integer within the bounds. */
  integer(name: Names, low: number, high: number): number | undefined;
}

/** @throws UsageError for a flag that is unknown or lacks its value. */
export function parseSimFlags<Names extends string>(
  flags: Readonly<Record<Names, SimFlag>>,
  argv: readonly string[],
): ParsedFlags<Names> {
  const options: Record<string, { type: 'string' | 'boolean' }> = {};
  for (const [name, flag] of Object.entries<SimFlag>(flags)) {
    options[name] = { type: flag.value === undefined ? 'boolean' : 'string' };
  }
  const { values, positionals } = parsed(argv, options);
  return {
    rest: positionals,
    on: (name) => values[name] === true,
    text: (name) => (typeof values[name] === 'string' ? values[name] : undefined),
    integer(name, low, high) {
      const text = values[name];
      if (text === undefined) return undefined;
      const value = Number(text);
      if (typeof text === 'string' && /^\d+$/.test(text) && value >= low && value <= high) return value;
      throw new UsageError(`--${name}: ${JSON.stringify(text)} is not an integer from ${low} to ${high}`);
    },
  };
}

function parsed(argv: readonly string[], options: Record<string, { type: 'string' | 'boolean' }>) {
  try {
    return parseArgs({ args: [...argv], options, strict: true, allowPositionals: true });
  } catch (error) {
    throw new UsageError(flagProblem(error));
  }
}

/** What `parseArgs` threw, in a sentence. Node's names the flag; what it suggests about `--` does not apply here. */
export function flagProblem(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  const first = text.split(/\.\s/)[0] ?? text;
  return first.replace('argument is ambiguous', 'needs a value, and what follows looks like another flag');
}

/** The first seed, as `--from` names it. @throws UsageError for what is no seed. */
export function startOf(text: string | undefined, otherwise: number): number {
  if (text === undefined) return otherwise;
  const seed = seedOfText(text);
  if (seed !== undefined) return seed;
  throw new UsageError(
    `--from: ${JSON.stringify(text)} is neither a number below 2^32 nor the hash of a commit`,
  );
}

/** Usage, a sentence, the flags in a table. */
export function flagsHelp(usage: string, about: string, flags: Readonly<Record<string, SimFlag>>): string {
  const rows = Object.entries(flags).map(
    ([name, { value, help }]) => [`--${name}${value === undefined ? '' : ` ${value}`}`, help] as const,
  );
  const width = Math.max(...rows.map(([left]) => left.length));
  return [
    `Usage: ${usage}`,
    '',
    about,
    '',
    ...rows.map(([left, help]) => `  ${left.padEnd(width)}  ${help}`),
  ].join('\n');
}
