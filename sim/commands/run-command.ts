import { availableParallelism } from 'node:os';
import { number } from '../trace/render-failure.ts';
import { runCampaign, type Totals } from './campaign.ts';
import { EXIT, EXIT_HELP, type ExitCode, exitCodeOf, gravest } from './exit-code.ts';
import { type FailureGroup, groupFailures } from './group-failures.ts';
import { declaredProbes, missedProbes, type ProbeSet } from './declared-probes.ts';
import { ProgressLine, rates } from './progress-line.ts';
import { flagsHelp, parseSimFlags, startOf, UsageError } from './sim-flags.ts';

const FLAGS = {
  seeds: { value: 'N', help: 'how many seeds to run (default 20000)' },
  from: { value: 'S', help: 'the first seed, or the hash of a commit (default: drawn, and printed)' },
  jobs: { value: 'J', help: 'processes to run them in (default: one for each core)' },
  budget: { value: 'SECONDS', help: 'start no new seeds after this long' },
  'until-failure': { help: 'stop at the first failure' },
  twice: { help: 'run every seed twice and compare' },
  shrink: { value: 'SECONDS', help: 'time for shrinking what was found (default 60)' },
  'require-probes': {
    value: 'SET',
    help: 'fail when a probe was never reached: of all, or of ci (what 3,000 seeds reach)',
  },
  probes: { help: 'print for each probe what share of the seeds reached it' },
  json: { help: 'one JSON object on standard output' },
  help: { help: 'this text' },
} as const;

const ABOUT = `Runs simulated disasters, one for each seed, and judges each by every promise. What fails is shrunk to a few lines,
saved under failures/ and shown with the command that replays it.

${EXIT_HELP}`;

/** `parley sim run`. @returns the exit code. @throws UsageError */
export async function runCommand(argv: readonly string[]): Promise<ExitCode> {
  const flags = parseSimFlags(FLAGS, argv);
  if (flags.on('help')) {
    console.log(flagsHelp('parley sim run [flags]', ABOUT, FLAGS));
    return EXIT.ok;
  }
  if (flags.rest.length > 0)
    throw new UsageError(`run takes no argument, got ${JSON.stringify(flags.rest[0])}`);
  const seeds = flags.integer('seeds', 1, 2 ** 32) ?? 20_000;
  const jobs = flags.integer('jobs', 1, 256) ?? availableParallelism();
  const from = startOf(flags.text('from'), Math.floor(Math.random() * 2 ** 32));
  const set = probeSet(flags.text('require-probes'));
  const json = flags.on('json');
  if (!json) {
    console.log(
      `» simulating ${number(seeds)} seeds from ${from} in ${jobs} ${jobs === 1 ? 'process' : 'processes'}`,
    );
  }
  const progress = new ProgressLine(seeds);
  const totals = await runCampaign({
    from,
    seeds,
    jobs,
    twice: flags.on('twice'),
    untilFailure: flags.on('until-failure'),
    budgetSeconds: flags.integer('budget', 1, 10_000_000),
    onProgress: (so) => progress.show(so),
  });
  progress.clear();
  const missed = set === undefined ? [] : missedProbes(set, totals.probes);
  const groups = groupFailures(
    totals.found,
    totals.seeds,
    flags.integer('shrink', 0, 86_400) ?? 60,
    (cause, seed) => {
      if (!json) console.error(`  shrinking ${cause}, seed ${seed} …`);
    },
  );
  const exitCode = codeOf(totals, missed);
  if (json) console.log(JSON.stringify(summaryOf(from, totals, groups, missed, exitCode)));
  else {
    printSummary(from, totals, groups, missed);
    if (flags.on('probes')) printProbes(totals);
  }
  return exitCode;
}

function probeSet(text: string | undefined): ProbeSet | undefined {
  if (text === undefined || text === 'all' || text === 'ci') return text;
  throw new UsageError(`--require-probes: ${JSON.stringify(text)} is neither all nor ci`);
}

/** Deliveries that were slow without a fault, over all runs: no single run is long enough to tell one in a hundred. */
function isSlow({ timed, slow }: Totals): boolean {
  return timed >= FEWEST_TIMED && slow * 100 > timed;
}

/** Fewer deliveries than this say nothing about one in a hundred. */
const FEWEST_TIMED = 100;

function codeOf(totals: Totals, missed: readonly string[]): ExitCode {
  if (totals.different.length + totals.differentBetween.length > 0) return EXIT.nondeterminism;
  const verdicts = totals.found.map((found) => found.key.verdict);
  const code = exitCodeOf(gravest(isSlow(totals) ? [...verdicts, 'liveness'] : verdicts));
  return code === EXIT.ok && missed.length > 0 ? EXIT.probeMissed : code;
}

function printSummary(
  from: number,
  totals: Totals,
  groups: readonly FailureGroup[],
  missed: readonly string[],
): void {
  for (const { saved } of groups) console.log(`\n${saved.lines.join('\n')}`);
  for (const { seed, event } of totals.different) {
    console.log(`✗ nondeterminism: seed ${seed} runs differently the second time, from event ${event} on`);
    console.log(`  see it: ./parley sim replay ${seed} --twice`);
  }
  for (const seed of totals.differentBetween) {
    console.log(`✗ nondeterminism: seed ${seed} runs differently in two processes`);
  }
  if (isSlow(totals))
    console.log(`✗ latency: more than one delivery in a hundred takes longer than 500 ms without a fault`);
  for (const name of missed) console.log(`✗ no run reached the probe ${name}`);
  if (totals.found.length > 0) {
    console.log(
      `\n✗ ${number(totals.found.length)} of ${number(totals.seeds)} seeds failed, in ${groups.length} ${groups.length === 1 ? 'group' : 'groups'}`,
    );
  } else if (totals.different.length + totals.differentBetween.length === 0) {
    console.log(
      `✓ ${number(totals.seeds)} seeds passed in ${totals.seconds.toFixed(1)} s, from seed ${from}`,
    );
  }
  console.log(`  ${rates(totals)}`);
  console.log(`  ${number(totals.probes.size)} rare branches reached; ${latencyText(totals)}`);
}

/** Every declared probe, the rarest first. */
function printProbes({ probes, seeds }: Totals): void {
  const names = [...new Set([...declaredProbes('all'), ...probes.keys()])];
  const rows = names.map((name) => [name, probes.get(name) ?? 0] as const).sort(([, a], [, b]) => a - b);
  for (const [name, reached] of rows) {
    const share = `${((100 * reached) / seeds).toFixed(2)} %`;
    console.log(`  ${name.padEnd(34)} ${share.padStart(8)} ${number(reached).padStart(9)} seeds`);
  }
}

function latencyText(totals: Totals): string {
  if (totals.timed === 0) return 'no delivery was timed';
  const share = ((100 * totals.slow) / totals.timed).toFixed(3);
  return `${number(totals.timed)} deliveries timed, ${share} % took longer than 500 ms`;
}

function summaryOf(
  from: number,
  totals: Totals,
  groups: readonly FailureGroup[],
  missed: readonly string[],
  exitCode: ExitCode,
) {
  const { found, probes, ...sums } = totals;
  return {
    exitCode,
    from,
    ...sums,
    seedsPerMinute: Math.round((totals.seeds * 60) / totals.seconds),
    eventsPerSecond: Math.round(totals.events / totals.seconds),
    failed: found.length,
    failedSeeds: found
      .slice(0, 1_000)
      .map(({ seed, key }) => ({ seed, verdict: key.verdict, cause: key.cause })),
    groups: groups.map(({ name, saved }) => ({
      name,
      path: saved.path,
      replay: saved.replay,
      hash: saved.failure.result.hash,
      items: saved.failure.scenario.ops.length + saved.failure.scenario.faults.length,
      violation: saved.failure.result.violation,
      crash: saved.failure.result.crash,
    })),
    missedProbes: missed,
    probes: Object.fromEntries([...probes].sort(([a], [b]) => (a < b ? -1 : 1))),
  };
}
