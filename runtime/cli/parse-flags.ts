import { parseArgs } from 'node:util';
import { flagProblem } from '../../sim/commands/sim-flags.ts';
import { CommandError, EXIT } from './exit-code.ts';

/** One flag of a command. `value` names what it takes (`N`, `FOLDER`); without it the flag is a switch. */
export interface Flag {
  readonly value?: string;
  readonly help: string;
  readonly short?: string;
}

export type Flags<Names extends string> = Readonly<Record<Names, Flag>>;
export interface Parsed<Names extends string> {
  /** The text of a flag with a value; undefined when it was not given. */
  text(name: Names): string | undefined;
  on(name: Names): boolean;
  /** @throws CommandError when it is not an integer within the bounds. */
  integer(name: Names, lowest: number, highest: number): number | undefined;
}

/**
 * Parses the flags of a command.
 * @throws CommandError (usage) that names the flag that is unknown, incomplete or superfluous.
 */
export function parseFlags<Names extends string>(
  command: string,
  flags: Flags<Names>,
  argv: readonly string[],
): Parsed<Names> {
  const options: Record<string, { type: 'string' | 'boolean'; short?: string }> = {};
  for (const [name, { value, short }] of Object.entries<Flag>(flags)) {
    options[name] = {
      type: value === undefined ? 'boolean' : 'string',
      ...(short === undefined ? {} : { short }),
    };
  }
  const values = readValues(command, options, argv);
  const usage = (message: string) => new CommandError(EXIT.usage, message, `parley ${command} --help`);
  return {
    text: (name) => values[name] as string | undefined,
    on: (name) => values[name] === true,
    integer(name, lowest, highest) {
      const text = values[name];
      if (text === undefined) return undefined;
      const number = Number(text);
      if (typeof text !== 'string' || !/^\d+$/.test(text) || number < lowest || number > highest) {
        throw usage(`--${name}: ${JSON.stringify(text)} is not an integer from ${lowest} to ${highest}`);
      }
      return number;
    },
  };
}

function readValues(
  command: string,
  options: Record<string, { type: 'string' | 'boolean'; short?: string }>,
  argv: readonly string[],
): Record<string, string | boolean | undefined> {
  try {
    return parseArgs({ args: [...argv], options, strict: true, allowPositionals: false }).values;
  } catch (error) {
    throw new CommandError(EXIT.usage, `${command}: ${flagProblem(error)}`, `parley ${command} --help`);
  }
}

/** The help of a command: its usage, a sentence, its flags. */
export function flagsHelp<Names extends string>(usage: string, about: string, flags: Flags<Names>): string {
  const rows = Object.entries<Flag>(flags).map(([name, { value, help, short }]) => {
    const left = `${short === undefined ? '    ' : `-${short}, `}--${name}${value === undefined ? '' : ` ${value}`}`;
    return [left, help] as const;
  });
  const width = Math.max(...rows.map(([left]) => left.length));
  const lines = rows.map(([left, help]) => `  ${left.padEnd(width)}  ${help}`);
  return [`Usage: ${usage}`, '', about, '', ...lines].join('\n');
}
