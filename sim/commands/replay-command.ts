import { runJudged } from '../properties/run-judged.ts';
import type { RunResult, TraceRecord } from '../run-result.ts';
import type { Scenario } from '../scenario.ts';
import { eventLines, systemText, timeText } from '../trace/describe-scenario.ts';
import { number } from '../trace/render-failure.ts';
import { TraceLines } from '../trace/trace-line.ts';
import { EXIT, EXIT_HELP, type ExitCode, exitCodeOf } from './exit-code.ts';
import { HashRecorder } from './hash-recorder.ts';
import { isRecording, replayRecordings } from './replay-recordings.ts';
import { scenarioArgument } from './scenario-argument.ts';
import type { ScenarioFile } from './scenario-file.ts';
import { flagsHelp, parseSimFlags } from './sim-flags.ts';

const FLAGS = {
  quiet: { help: 'no line for each event: what happens, and how it ends' },
  twice: { help: 'run it a second time and name the first event that differs' },
  json: { help: 'one JSON object on standard output, a line for each event with --events' },
  events: { help: 'with --json: the events as well' },
  help: { help: 'this text' },
} as const;

const ABOUT = `Runs one scenario again, event for event: a file that a failure was saved in, or the seed of a campaign. Every event
is a line: when, where, what, and what the machine did.

A RECORDING is a folder that a role wrote (--record FOLDER), or one file of it: what the machines were told in production is
run through the core of this version, and their effects must be the same, byte for byte.

${EXIT_HELP}`;

/** `parley sim replay`. @returns the exit code. @throws UsageError, ScenarioFileError */
export function replayCommand(argv: readonly string[]): ExitCode {
  const flags = parseSimFlags(FLAGS, argv);
  if (flags.on('help')) {
    console.log(flagsHelp('parley sim replay FILE|SEED|RECORDING [flags]', ABOUT, FLAGS));
    return EXIT.ok;
  }
  const json = flags.on('json');
  const [path] = flags.rest;
  if (path !== undefined && isRecording(path)) return replayRecordings(path, json);
  const { file } = scenarioArgument('replay', flags.rest);
  if (!json) printStart(file);
  const lines = new TraceLines();
  const print = (record: TraceRecord): void => {
    if (!json) console.log(lines.line(record));
    else console.log(JSON.stringify(record));
  };
  const traced = json ? flags.on('events') : !flags.on('quiet');
  const result = runJudged(file.scenario, traced ? { trace: { event: print } } : {});
  const twice = flags.on('twice');
  const differs = twice ? firstDifference(file.scenario) : undefined;
  if (json) console.log(JSON.stringify({ ...jsonOf(result), firstDifference: differs }));
  else {
    printEnd(file, result);
    if (differs !== undefined)
      console.log(`✗ nondeterminism: the second run differs from event ${number(differs)} on`);
    else if (twice) console.log('  the second run is the same, event for event');
  }
  return differs === undefined ? exitCodeOf(result.verdict) : EXIT.nondeterminism;
}

function printStart(file: ScenarioFile): void {
  if (file.story !== '') console.log(`» ${file.story}`);
  for (const line of [...systemText(file.scenario), ...eventLines(file.scenario, 40)])
    console.log(`  ${line}`);
  console.log('');
}

function printEnd(file: ScenarioFile, result: RunResult): void {
  const { violation, crash } = result;
  console.log('');
  if (result.verdict === 'pass') console.log('✓ pass: every promise held');
  else console.log(`✗ ${result.verdict}: ${violation?.oracle ?? crash?.message ?? 'events used up'}`);
  if (violation !== undefined) {
    console.log(`  ${timeText(violation.at)}`);
    console.log(`  expected    ${violation.expected}`);
    console.log(`  observed    ${violation.observed}`);
    for (const line of violation.stuck) console.log(`  stuck       ${line}`);
  }
  if (crash !== undefined) console.log(`  at ${crash.node}\n${crash.stack}`);
  console.log(`  hash        ${result.hash}${sinceSaved(file, result.hash)}`);
  console.log(`  ${number(result.events)} events, ${timeText(result.simulatedMicros)}`);
}

function sinceSaved({ hash: saved, failed }: ScenarioFile, hash: string): string {
  if (saved === undefined) return '';
  if (saved === hash) return ', as when it was saved';
  // A run ends where it is judged to have failed, and that promise is judged by a test alone.
  const own = failed?.split(' ')[1] === 'own:';
  return own
    ? ': judged by the promises of Parley alone, the run goes on'
    : `, was ${saved} when it was saved: the code has changed`;
}

function jsonOf(result: RunResult) {
  const { verdict, violation, crash, hash, events, simulatedMicros, lastEvents } = result;
  const probes = Object.fromEntries(result.probes);
  return {
    verdict,
    violation,
    crash,
    hash,
    events,
    simulatedMicros,
    probes,
    lastEvents,
    exitCode: exitCodeOf(verdict),
  };
}

/** @returns the position of the first event that differs between two runs, undefined when none does. */
function firstDifference(scenario: Scenario): number | undefined {
  const [a, b] = [new HashRecorder(), new HashRecorder()];
  const [one, other] = [a, b].map((hashes) => runJudged(scenario, { hashes, hashEffects: true }));
  const same = one!.hash === other!.hash && one!.effectHash === other!.effectHash;
  return same ? undefined : a.firstDifference(b);
}
