import { mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { ALL_MUTANTS } from '../mutants/all-mutants.ts';
import type { Mutant } from '../mutants/mutant.ts';
import { EXIT, EXIT_HELP, type ExitCode, exitCodeOf } from './exit-code.ts';
import { huntMutant, type HuntResult } from './hunt-mutant.ts';
import { inTurn } from './in-turn.ts';
import { keptScenarioOf } from './kept-scenario.ts';
import { median } from './median.ts';
import type { PlainFailure } from './plain-core.ts';
import { flagsHelp, parseSimFlags, startOf, UsageError } from './sim-flags.ts';

const FLAGS = {
  only: { value: 'NAME', help: 'only mutants whose name contains this' },
  seeds: { value: 'N', help: 'seeds a mutant may survive (default 2000)' },
  from: {
    value: 'S',
    help: 'the first seed, or the hash of a commit (default 1: the figures can be compared)',
  },
  jobs: { value: 'J', help: 'mutants hunted at a time (default: one for each core)' },
  shrink: { value: 'SECONDS', help: 'time for shrinking each kill (default 10)' },
  save: { value: 'FOLDER', help: 'save the shrunk scenario of each kill there' },
  list: { help: 'only list them, with their stories' },
  json: { help: 'one JSON object on standard output' },
  help: { help: 'this text' },
} as const;

const ABOUT = `Plants known bugs in the core, one at a time and each in a process of its own, and counts the seeds until the simulator
finds it. A survivor, a timeout or a mutant that no longer fits the code is a failure: of the simulator. A kill counts only
if the core without the mutant passes there; of a survivor a scenario of sim/regressions/ that it turns red counts, and is named.

${EXIT_HELP}`;

/** Seconds per seed after which a hunt is a timeout: a hundred times what a seed takes. */
const SECONDS_PER_SEED = 0.1;

interface Row {
  readonly mutant: Mutant;
  readonly result: HuntResult;
  /** Of a survivor: the kept scenario that turns red with it. */
  readonly kept: string | undefined;
}

/** `parley sim mutants`. @returns the exit code. @throws UsageError */
export async function mutantsCommand(argv: readonly string[]): Promise<ExitCode> {
  const flags = parseSimFlags(FLAGS, argv);
  if (flags.on('help')) {
    console.log(flagsHelp('parley sim mutants [flags]', ABOUT, FLAGS));
    return EXIT.ok;
  }
  const only = flags.text('only') ?? flags.rest[0] ?? '';
  const mutants = ALL_MUTANTS.filter((mutant) => mutant.name.includes(only));
  if (mutants.length === 0)
    throw new UsageError(`--only: no mutant has ${JSON.stringify(only)} in its name; --list shows them`);
  if (flags.on('list')) {
    for (const { name, file, story } of mutants) console.log(`${name}\n  ${file}\n  ${story}`);
    return EXIT.ok;
  }
  const seeds = flags.integer('seeds', 1, 1e9) ?? 2_000;
  const shrinkSeconds = flags.integer('shrink', 0, 3_600) ?? 10;
  const order = { from: startOf(flags.text('from'), 1), seeds, shrinkSeconds };
  const json = flags.on('json');
  if (!json) printHead(mutants.length, seeds);
  const rows = await inTurn(
    mutants,
    flags.integer('jobs', 1, 256) ?? availableParallelism(),
    async (mutant): Promise<Row> => {
      const result = await huntMutant(mutant, order, 60 + shrinkSeconds + seeds * SECONDS_PER_SEED);
      const kept = result.outcome === 'survived' ? await keptScenarioOf(mutant.name) : undefined;
      const folder = flags.text('save');
      if (folder !== undefined && result.outcome === 'killed') save(folder, mutant, result.report.killed);
      if (!json) console.log(rowText({ mutant, result, kept }));
      return { mutant, result, kept };
    },
  );
  if (json) console.log(JSON.stringify({ mutants: rows.map(jsonRow), ...figures(rows) }));
  else printFigures(rows);
  // A red core is graver than a blind simulator: until it is mended nobody knows what the kills are worth.
  const [red] = rows.flatMap(({ result }) => (result.outcome === 'plain-red' ? [result.plain] : []));
  if (red !== undefined) return exitCodeOf(red.key.verdict);
  return rows.every(isFound) ? EXIT.ok : EXIT.mutantSurvived;
}

function save(folder: string, mutant: Mutant, killed: { readonly file: string }): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `${mutant.name}.json`), killed.file);
}

// ---------------------------------------------------------------- the table

function printHead(count: number, seeds: number): void {
  console.log(`» hunting ${count} ${count === 1 ? 'mutant' : 'mutants'}, each for up to ${seeds} seeds`);
  console.log(
    `  ${'mutant'.padEnd(36)} ${'killed by'.padEnd(28)} ${'seeds'.padStart(6)} ${'items'.padStart(9)} ${'hunt'.padStart(8)} ${'shrink'.padStart(8)}`,
  );
}

const isFound = ({ result, kept }: Row): boolean => result.outcome === 'killed' || kept !== undefined;

function rowText({ mutant, result, kept }: Row): string {
  const name = mutant.name.padEnd(36);
  switch (result.outcome) {
    case 'killed': {
      const { killed, runs, huntSeconds } = result.report;
      const expected = (mutant.expected as readonly string[]).includes(killed.cause) ? '' : ' *';
      const items = `${killed.foundSize}→${killed.size}`;
      return `✓ ${name} ${(killed.cause + expected).padEnd(28)} ${String(runs).padStart(6)} ${items.padStart(9)} ${seconds(huntSeconds)} ${seconds(killed.shrinkSeconds)}`;
    }
    case 'survived':
      if (kept !== undefined) return `✓ ${name} survived ${result.report.runs} seeds; red in ${kept}`;
      return `✗ ${name} survived ${result.report.runs} seeds (${result.report.huntSeconds.toFixed(1)} s)`;
    case 'plain-red':
      return `✗ ${name} NOT KILLED BY THE MUTANT: the plain core is red at ${result.plain.what} (${causeText(result.plain)})`;
    case 'timeout':
      return `✗ ${name} timed out: nothing was found`;
    case 'broken':
      return `✗ ${name} does not load: ${result.message}`;
  }
}

function causeText({ key }: PlainFailure): string {
  return `${key.verdict} ${key.cause}`;
}

type Killed = NonNullable<Extract<HuntResult, { outcome: 'survived' }>['report']['killed']>;

const seconds = (value: number): string => `${value.toFixed(2)} s`.padStart(8);

function killedOf({ result }: Row): Killed | undefined {
  return result.outcome === 'killed' ? result.report.killed : undefined;
}

function figures(rows: readonly Row[]) {
  const killed = rows.flatMap((row) => killedOf(row) ?? []);
  const runs = rows.flatMap(({ result }) => (result.outcome === 'killed' ? [result.report.runs] : []));
  return {
    hunted: rows.length,
    killed: killed.length,
    byKeptScenario: rows.filter(({ kept }) => kept !== undefined).length,
    medianSeeds: median(runs),
    medianItems: median(killed.map((kill) => kill.size)),
    mostSeeds: Math.max(0, ...runs),
    mostItems: Math.max(0, ...killed.map((kill) => kill.size)),
  };
}

function printFigures(rows: readonly Row[]): void {
  const sum = figures(rows);
  const mark = rows.every(isFound) ? '✓' : '✗';
  const kept = sum.byKeptScenario === 0 ? '' : `, ${sum.byKeptScenario} more by kept scenarios`;
  console.log(
    `${mark} ${sum.killed} of ${sum.hunted} killed by seeds${kept}; median ${sum.medianSeeds ?? '–'} seeds to the kill (at most ${sum.mostSeeds}), shrunk to a median of ${sum.medianItems ?? '–'} items (at most ${sum.mostItems})`,
  );
  if (rows.some((row) => killedOf(row) !== undefined && rowText(row).includes(' *'))) {
    console.log('  * another oracle than expected was faster');
  }
  const red = rows.flatMap(({ result }) => (result.outcome === 'plain-red' ? [result] : []));
  if (red.length > 0) {
    const [{ plain, report }] = red as [(typeof red)[0]];
    console.log(`✗ the core is red without any mutant: ${plain.what}, ${causeText(plain)}; mend that first`);
    console.log(`  see it: ./parley sim shrink ${report.killed?.seed}`);
  } else if (!rows.every(isFound)) {
    console.log(
      '  next: a survivor means that an oracle, a fault or the generator must get better (docs/simulating.md)',
    );
  }
}

function jsonRow(row: Row) {
  const killed = killedOf(row);
  const { outcome } = row.result;
  const runs = 'report' in row.result ? row.result.report.runs : undefined;
  const { name, file, expected } = row.mutant;
  const plain = row.result.outcome === 'plain-red' ? row.result.plain : undefined;
  return { name, file, expected, outcome, runs, plain, kept: row.kept, ...killed, scenario: undefined };
}
