import { number } from '../trace/render-failure.ts';
import { EXIT, type ExitCode } from './exit-code.ts';
import { benchSim } from './sim-bench.ts';
import { flagsHelp, parseSimFlags, UsageError } from './sim-flags.ts';

const FLAGS = {
  seconds: { value: 'N', help: 'length of each of the two measurements (default 5)' },
  json: { help: 'one JSON object on standard output' },
  help: { help: 'this text' },
} as const;

const ABOUT = `Measures how many simulated events one core of this machine carries out in a second, with every oracle on and with
none: a steady load without faults, again and again, in processor time. Close other programs first.`;

/** `parley sim bench`. @returns the exit code. @throws UsageError */
export function benchCommand(argv: readonly string[]): ExitCode {
  const flags = parseSimFlags(FLAGS, argv);
  if (flags.on('help')) {
    console.log(flagsHelp('parley sim bench [flags]', ABOUT, FLAGS));
    return EXIT.ok;
  }
  if (flags.rest.length > 0)
    throw new UsageError(`bench takes no argument, got ${JSON.stringify(flags.rest[0])}`);
  const seconds = flags.integer('seconds', 1, 600) ?? 5;
  const result = benchSim({ seconds, clock: coreMs });
  if (flags.on('json')) {
    console.log(JSON.stringify(result));
    return EXIT.ok;
  }
  console.log(`${number(Math.round(result.eventsPerSecond))} events/s with every oracle on, one core`);
  console.log(`${number(Math.round(result.unjudgedEventsPerSecond))} events/s with no oracle`);
  return EXIT.ok;
}

/** Time that this thread had a core for: what an event costs does not depend on who else is on the machine. */
function coreMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1_000;
}
