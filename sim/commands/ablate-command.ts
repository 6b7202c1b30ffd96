import { availableParallelism } from 'node:os';
import { ALL_MUTANTS } from '../mutants/all-mutants.ts';
import { type Ablation, ABLATIONS, type AblationReport } from './ablation.ts';
import { EXIT, type ExitCode } from './exit-code.ts';
import { inTurn } from './in-turn.ts';
import { median } from './median.ts';
import { askMutant, type MutantAnswer } from './mutant-process.ts';
import { flagsHelp, parseSimFlags, startOf, UsageError } from './sim-flags.ts';

const FLAGS = {
  only: { value: 'NAME', help: 'only mutants whose name contains this' },
  seeds: { value: 'N', help: 'seeds of each hunt (default 300)' },
  from: { value: 'S', help: 'the first seed, or the hash of a commit (default 1)' },
  jobs: { value: 'J', help: 'mutants hunted at a time (default: one for each core)' },
  json: { help: 'one JSON object on standard output' },
  help: { help: 'this text' },
} as const;

const ABOUT = `Shows what each class of faults is worth: every planted bug is hunted with all faults, and then without one class of them
at a time. A class without which nothing is lost, and nothing found later, finds nothing that others do not find.

Exit codes: 0 shown, 1 the command line is wrong, 16 a mutant does not load or takes too long.`;

/** Seconds of a hunt of one seed, and its ablations, after which it is given up: a hundred times what they take. */
const SECONDS_PER_SEED = 0.1 * (1 + ABLATIONS.length);

interface Row {
  readonly name: string;
  readonly result: MutantAnswer<AblationReport>;
}

/** `parley sim ablate`. @returns the exit code. @throws UsageError */
export async function ablateCommand(argv: readonly string[]): Promise<ExitCode> {
  const flags = parseSimFlags(FLAGS, argv);
  if (flags.on('help')) {
    console.log(flagsHelp('parley sim ablate [flags]', ABOUT, FLAGS));
    return EXIT.ok;
  }
  const only = flags.text('only') ?? flags.rest[0] ?? '';
  const mutants = ALL_MUTANTS.filter(({ name }) => name.includes(only));
  if (mutants.length === 0)
    throw new UsageError(
      `--only: no mutant has ${JSON.stringify(only)} in its name; see parley sim mutants --list`,
    );
  const order = { from: startOf(flags.text('from'), 1), seeds: flags.integer('seeds', 1, 1e9) ?? 300 };
  const json = flags.on('json');
  if (!json) printHead(mutants.length, order.seeds);
  const jobs = flags.integer('jobs', 1, 256) ?? availableParallelism();
  const rows = await inTurn(mutants, jobs, async ({ name }): Promise<Row> => {
    const patience = 60 + order.seeds * SECONDS_PER_SEED;
    const row = { name, result: await askMutant<AblationReport>(name, 'mutant-ablater.ts', order, patience) };
    if (!json) console.log(rowText(row));
    return row;
  });
  const reports = rows.flatMap(({ name, result }) =>
    result.outcome === 'answered' ? [{ name, ...result.answer }] : [],
  );
  if (json)
    console.log(
      JSON.stringify({ ...order, mutants: reports, worth: ABLATIONS.map((each) => worthOf(each, reports)) }),
    );
  else printWorth(reports);
  return reports.length === rows.length ? EXIT.ok : EXIT.mutantSurvived;
}

// ---------------------------------------------------------------- what a class is worth

type Named = AblationReport & { readonly name: string };

/** What is lost without a class of faults, and how many times more seeds it takes to find the rest of what it slows down. */
function worthOf(ablation: Ablation, reports: readonly Named[]) {
  const lost: string[] = [];
  const slower: number[] = [];
  for (const { name, complete, without } of reports) {
    if (complete === undefined) continue;
    const seeds = without[ablation];
    if (seeds === undefined) lost.push(name);
    else if (seeds > complete) slower.push(seeds / complete);
  }
  return { without: ablation, lost, slower: slower.length, medianTimes: median(slower) };
}

// ---------------------------------------------------------------- the table

const NAME = 38;
const COLUMN = 9;

function printHead(count: number, seeds: number): void {
  const what = count === 1 ? '1 mutant' : `${count} mutants`;
  console.log(
    `» hunting ${what}, each for up to ${seeds} seeds with all faults, and without each class of them`,
  );
  const names = ['with all', ...ABLATIONS.map((name) => (name === 'all' ? 'no fault' : name))];
  console.log(`  ${'seeds to the kill'.padEnd(NAME)}${names.map((name) => name.padStart(COLUMN)).join('')}`);
}

/** `·`: as soon as with all faults; `–`: not within the seeds. */
function rowText({ name, result }: Row): string {
  if (result.outcome === 'timeout') return `✗ ${name.padEnd(NAME)} took too long`;
  if (result.outcome === 'broken') return `✗ ${name.padEnd(NAME)} does not load: ${result.message}`;
  const { complete, without } = result.answer;
  if (complete === undefined) return `  ${name.padEnd(NAME)}${'–'.padStart(COLUMN)}`;
  const cells = ABLATIONS.map((ablation) => {
    const seeds = without[ablation];
    return seeds === complete ? '·' : String(seeds ?? '–');
  });
  return `  ${name.padEnd(NAME)}${[String(complete), ...cells].map((cell) => cell.padStart(COLUMN)).join('')}`;
}

function printWorth(reports: readonly Named[]): void {
  const found = reports.filter(({ complete }) => complete !== undefined).length;
  console.log(`\n✓ ${found} of ${reports.length} found with all faults`);
  for (const ablation of ABLATIONS) {
    const { lost, slower, medianTimes } = worthOf(ablation, reports);
    const name = ablation === 'all' ? 'any fault' : `${ablation} faults`;
    const late =
      medianTimes === undefined
        ? ''
        : `, a median of ${medianTimes.toFixed(1)} times as many seeds for ${slower} others`;
    console.log(`  without ${name.padEnd(16)} ${String(lost.length).padStart(3)} lost${late}`);
  }
}
