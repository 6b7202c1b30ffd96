import { conformanceTable, describeDifference, runSuite, type SuiteResult } from '../conformance/report.ts';
import { randomSeed } from '../conformance/random-seed.ts';
import { SUITES } from '../conformance/suites.ts';
import { CommandError, EXIT } from './exit-code.ts';
import { flagsHelp, parseFlags } from './parse-flags.ts';

const FLAGS = {
  engine: {
    value: 'ENGINES',
    help: `some of ${SUITES.map(({ engine }) => engine).join(',')} (default: all)`,
  },
  only: { value: 'TEXT', help: 'only the scripts whose name contains this' },
  random: { value: 'N', help: 'random scripts for each engine, besides the written ones (default: 20)' },
  seed: { value: 'N', help: 'draws the same random scripts again (default: from the commit)' },
  json: { help: 'print the table as one JSON object' },
  help: { help: 'print this', short: 'h' },
};

const ABOUT =
  'Runs the same scripts of steps against the simulator’s model of an engine and against the engine that runs here, and\n' +
  'compares what they show. Where they differ the model is wrong, and what it proved counts for nothing.\n' +
  'Needs the engines: make services.';

/** `parley conformance`: exit code 2 when a model and its engine differ, 69 when an engine does not answer. */
export async function conformance(argv: readonly string[]): Promise<number> {
  const flags = parseFlags('conformance', FLAGS, argv);
  if (flags.on('help')) {
    console.log(flagsHelp('parley conformance [flags]', ABOUT, FLAGS));
    return EXIT.ok;
  }
  const engines = enginesOf(flags.text('engine'));
  const json = flags.on('json');
  const seed = flags.integer('seed', 0, 2 ** 31 - 1) ?? randomSeed();
  const random = flags.integer('random', 0, 10_000) ?? 20;
  const results: SuiteResult[] = [];
  for (const { engine, open } of engines) {
    const suite = await open().catch((error: unknown) => {
      throw new CommandError(EXIT.unavailable, `${engine}: ${(error as Error).message}`, 'make services');
    });
    try {
      const result = await runSuite(suite, {
        random,
        seed,
        only: flags.text('only'),
        onResult(name, comparison, story) {
          if (json) return;
          console.log(`${comparison.equal ? '✓' : '✗'} ${name}  ${comparison.script.padEnd(36)} ${story}`);
          if (!comparison.equal) console.log(describeDifference(comparison).replaceAll(/^/gm, '    '));
        },
      });
      results.push(result);
    } finally {
      await suite.close();
    }
  }
  const differ = results.some(({ differing }) => differing.length > 0);
  if (json) console.log(JSON.stringify({ seed, results, equal: !differ }));
  else {
    console.log(`\n${conformanceTable(results)}`);
    if (differ) console.log(`\nNext: parley conformance --engine ENGINE --only SCRIPT --seed ${seed}`);
  }
  return differ ? EXIT.failed : EXIT.ok;
}

function enginesOf(text: string | undefined): typeof SUITES {
  if (text === undefined) return SUITES;
  return text.split(',').map((name) => {
    const suite = SUITES.find(({ engine }) => engine === name);
    if (suite !== undefined) return suite;
    const known = SUITES.map(({ engine }) => engine).join(', ');
    throw new CommandError(
      EXIT.usage,
      `--engine: ${JSON.stringify(name)} is none of ${known}`,
      'parley conformance --help',
    );
  });
}
