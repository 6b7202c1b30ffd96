import { FAULT_KINDS } from '../faults/fault-kinds.ts';
import { EXCLUDED, type Feasibility, PROMISES, standingOf } from '../faults/feasibility.ts';
import type { PromiseName } from '../oracles/oracle.ts';
import { EXIT, type ExitCode } from './exit-code.ts';
import { flagsHelp, parseSimFlags } from './sim-flags.ts';

const FLAGS = {
  json: { help: 'one JSON object on standard output' },
  help: { help: 'this text' },
} as const;

const ABOUT = `Shows which promise holds under which fault: the table by which the judge raises an alarm or does not.

  ✓ holds     at every moment
  ~ delayed   nothing bad happens; a good thing may take longer, until the fault and what it leaves behind are over
  - outside   not promised: such a fault is not drawn, and refused or configured away before a process starts`;

const MARKS = { holds: '✓', delayed: '~', outside: '-' } as const;

/** `parley sim atlas`. @returns the exit code. @throws UsageError */
export function atlasCommand(argv: readonly string[]): ExitCode {
  const flags = parseSimFlags(FLAGS, argv);
  if (flags.on('help')) {
    console.log(flagsHelp('parley sim atlas [flags]', ABOUT, FLAGS));
    return EXIT.ok;
  }
  const drawn = FAULT_KINDS.map(
    (kind) => [kind.kind, rowOf((promise) => standingOf(kind, promise))] as const,
  );
  const excluded = Object.entries(EXCLUDED);
  if (flags.on('json')) {
    console.log(JSON.stringify({ drawn: Object.fromEntries(drawn), excluded: EXCLUDED }));
    return EXIT.ok;
  }
  console.log(`${ABOUT}\n`);
  for (const [i, promise] of PROMISES.entries()) console.log(`${columnsBefore(i)}${promise}`);
  for (const [name, row] of drawn) console.log(line(name, row));
  console.log('');
  for (const [name, { promises, why }] of excluded) console.log(`${line(name, promises)}  ${why}`);
  return EXIT.ok;
}

function rowOf(standing: (promise: PromiseName) => Feasibility[PromiseName]): Feasibility {
  return Object.fromEntries(PROMISES.map((promise) => [promise, standing(promise)])) as Feasibility;
}

const NAME_WIDTH = 28;

/** A promise's name stands above its column, with a line down to it from every column before. */
function columnsBefore(index: number): string {
  return ' '.repeat(NAME_WIDTH) + '│ '.repeat(index);
}

function line(name: string, row: Feasibility): string {
  return name.padEnd(NAME_WIDTH) + PROMISES.map((promise) => MARKS[row[promise]]).join(' ');
}
