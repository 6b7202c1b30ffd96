import { scenarioSize } from '../shrink/shrink-scenario.ts';
import { EXIT, EXIT_HELP, type ExitCode, exitCodeOf } from './exit-code.ts';
import { reportFailure } from './failure-report.ts';
import { scenarioArgument } from './scenario-argument.ts';
import { shrinkFailure } from './shrink-failure.ts';
import { flagsHelp, parseSimFlags } from './sim-flags.ts';

const FLAGS = {
  seconds: { value: 'S', help: 'stop shrinking after this long (default 60)' },
  runs: { value: 'N', help: 'stop shrinking after this many runs (default 100000)' },
  json: { help: 'one JSON object on standard output' },
  help: { help: 'this text' },
} as const;

const ABOUT = `Makes a failing scenario as simple as it gets, saves it under failures/ and shows it. The exit code is that of its failure.

${EXIT_HELP}`;

/** `parley sim shrink`. @returns the exit code. @throws UsageError, ScenarioFileError */
export function shrinkCommand(argv: readonly string[]): ExitCode {
  const flags = parseSimFlags(FLAGS, argv);
  if (flags.on('help')) {
    console.log(flagsHelp('parley sim shrink FILE|SEED [flags]', ABOUT, FLAGS));
    return EXIT.ok;
  }
  const { file, seed } = scenarioArgument('shrink', flags.rest);
  const json = flags.on('json');
  if (!json) console.log(`» shrinking a scenario of ${scenarioSize(file.scenario)} operations and faults`);
  const failure = shrinkFailure(file.scenario, seed, {
    seconds: flags.integer('seconds', 1, 86_400) ?? 60,
    maxRuns: flags.integer('runs', 1, 1e9) ?? 100_000,
    onProgress(size, runs) {
      if (!json && process.stderr.isTTY) process.stderr.write(`\r\x1b[2K  ${size} left after ${runs} runs`);
    },
  });
  if (!json && process.stderr.isTTY) process.stderr.write('\r\x1b[2K');
  if (failure === undefined) {
    console.log(
      json ? JSON.stringify({ verdict: 'pass' }) : '✓ the scenario passes: there is nothing to shrink',
    );
    return EXIT.ok;
  }
  const { lines, path, replay } = reportFailure(failure, undefined);
  const { key, scenario, result, foundSize, minimal, necessaryFaults } = failure;
  const size = scenarioSize(scenario);
  if (json)
    console.log(
      JSON.stringify({ ...key, path, replay, foundSize, size, minimal, necessaryFaults, hash: result.hash }),
    );
  else console.log(lines.join('\n'));
  return exitCodeOf(key.verdict);
}
