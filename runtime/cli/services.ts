import { isRunning } from '../adapters/embedded-postgres/process-identity.ts';
import { residentBytes } from '../cluster/process-memory.ts';
import { ENGINE_KINDS, type EngineKind } from '../deploy/services/engine.ts';
import { planEngines } from '../deploy/services/engine-plan.ts';
import { POSTGRES_SOURCES } from '../deploy/services/postgres.ts';
import { ServiceError } from '../deploy/services/service-error.ts';
import { readServiceState, servicesFolder, ServiceStateError } from '../deploy/services/service-state.ts';
import { servicesDown, servicesUp } from '../deploy/services/services.ts';
import { CommandError, EXIT } from './exit-code.ts';
import { flagsHelp, parseFlags, type Parsed } from './parse-flags.ts';

const FLAGS = {
  only: { value: 'NAMES', help: `some of ${ENGINE_KINDS.join(',')} (default: all)` },
  regions: { value: 'N', help: 'complete sets of PostgreSQL, Redis and Kafka: 1 or 2 (default: 2)' },
  data: {
    value: 'FOLDER',
    help: 'where the engines keep their data (default: $PARLEY_SERVICES_DATA, else /var/lib/parley-services for root, ~/.local/share/parley-services for others)',
  },
  'port-offset': { value: 'N', help: 'added to every port; auto: the first of 0, 1000, … that is free' },
  postgres: { value: 'SOURCE', help: 'of new databases: debian, or embedded (default: debian)' },
  json: { help: 'print the addresses, or the status, as JSON' },
  help: { help: 'print this', short: 'h' },
};
type Flags = Parsed<keyof typeof FLAGS>;

const ABOUT =
  'The engines that Parley runs on, on this machine, without containers: up installs and starts what does not run,\n' +
  'down ends it by pid, status tells port, version, pid and memory. They listen on loopback only. Nothing here is for production.';
const HELP = 'parley services --help';

/** `parley services up|down|status` */
export async function services(argv: readonly string[]): Promise<number> {
  const [action, ...rest] = argv;
  const flags = parseFlags('services', FLAGS, action?.startsWith('-') === true ? argv : rest);
  if (flags.on('help') || action === undefined) {
    console.log(flagsHelp('parley services up|down|status [flags]', ABOUT, FLAGS));
    return flags.on('help') ? EXIT.ok : EXIT.usage;
  }
  const folder = servicesFolder(flags.text('data'));
  try {
    switch (action) {
      case 'up':
        return await up(folder, flags);
      case 'down':
        return await down(folder, flags);
      case 'status':
        return await status(folder, flags.on('json'));
      default: {
        const problem = `services: ${JSON.stringify(action)} is none of up, down, status`;
        throw new CommandError(EXIT.usage, problem, HELP);
      }
    }
  } catch (error) {
    if (error instanceof ServiceError) throw new CommandError(EXIT.unavailable, error.message, error.next);
    if (error instanceof ServiceStateError) throw new CommandError(EXIT.failed, error.message, undefined);
    throw error;
  }
}

async function up(folder: string, flags: Flags): Promise<number> {
  const json = flags.on('json');
  const began = performance.now();
  if (!json) console.log(`» starting the engines in ${folder}`);
  const state = await servicesUp({
    folder,
    only: kindsOf(flags),
    regions: flags.integer('regions', 1, 2) ?? 2,
    portOffset: flags.text('port-offset') === 'auto' ? 'auto' : flags.integer('port-offset', 0, 40_000),
    postgres: oneOf('postgres', flags.text('postgres'), POSTGRES_SOURCES),
    progress: progressOf(json),
  });
  const seconds = ((performance.now() - began) / 1_000).toFixed(1);
  if (json) console.log(JSON.stringify(state));
  else console.log(`✓ ${state.processes.length} processes run after ${seconds} s. Next: parley cluster up`);
  return EXIT.ok;
}

async function down(folder: string, flags: Flags): Promise<number> {
  const json = flags.on('json');
  const ended = await servicesDown(folder, kindsOf(flags), progressOf(json));
  if (json) console.log(JSON.stringify({ ended }));
  else console.log(ended.length === 0 ? `nothing runs from ${folder}` : `✓ ${ended.length} ended`);
  return EXIT.ok;
}

function progressOf(json: boolean): (what: string, seconds: number) => void {
  return (what, seconds) => {
    if (!json) console.log(`  ${what.padEnd(60)} ${seconds.toFixed(1).padStart(6)} s`);
  };
}

function kindsOf(flags: Flags): readonly EngineKind[] | undefined {
  return flags
    .text('only')
    ?.split(',')
    .flatMap((name) => oneOf('only', name, ENGINE_KINDS) ?? []);
}

/** @throws CommandError that names what is allowed. */
function oneOf<T extends string>(
  flag: string,
  given: string | undefined,
  allowed: readonly T[],
): T | undefined {
  const found = allowed.find((each) => each === given);
  if (given === undefined || found !== undefined) return found;
  const problem = `--${flag}: ${JSON.stringify(given)} is none of ${allowed.join(', ')}`;
  throw new CommandError(EXIT.usage, problem, HELP);
}

/** @returns 0 when something was started and all of it answers. */
async function status(folder: string, json: boolean): Promise<number> {
  const state = readServiceState(folder);
  const { regions = [], portOffset = 0 } = state ?? {};
  const { engines } = planEngines({ regions: regions.length, portOffset });
  const rows = await Promise.all(
    (state?.processes ?? []).map(async (service) => {
      const running = isRunning(service);
      const engine = engines.find(({ name }) => name === service.name);
      const answers = running && (await engine?.answers()) === true;
      return {
        ...service,
        running,
        answers,
        residentBytes: running ? residentBytes(service.pid) : undefined,
      };
    }),
  );
  if (json) console.log(JSON.stringify({ folder, processes: rows }));
  else if (rows.length === 0) console.log(`nothing runs from ${folder}. Next: parley services up`);
  else {
    console.log(
      `  ${'engine'.padEnd(18)} ${'port'.padStart(5)} ${'pid'.padStart(8)} ${'memory'.padStart(9)}  ${'state'.padEnd(14)}  version`,
    );
    for (const { name, port, pid, version, running, answers, residentBytes: bytes } of rows) {
      const memory = bytes === undefined ? '–' : `${Math.round(bytes / 1e6)} MB`;
      const how = answers ? 'answers' : running ? 'does not answer' : 'ended';
      console.log(
        `  ${name.padEnd(18)} ${String(port).padStart(5)} ${String(pid).padStart(8)} ${memory.padStart(9)}  ${how.padEnd(15)} ${version}`,
      );
    }
  }
  return rows.length > 0 && rows.every(({ answers }) => answers) ? EXIT.ok : EXIT.failed;
}
