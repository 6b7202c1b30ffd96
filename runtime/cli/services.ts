import { ENGINE_KINDS, type EngineKind } from '../deploy/services/engine.ts';
import { isRunning } from '../adapters/embedded-postgres/process-identity.ts';
import { readServiceState, servicesFolder, ServiceStateError } from '../deploy/services/service-state.ts';
import { residentBytes, ServiceError, servicesDown, servicesUp } from '../deploy/services/services.ts';
import { CommandError, EXIT } from './exit-code.ts';
import { flagsHelp, parseFlags } from './parse-flags.ts';

const FLAGS = {
  only: { value: 'NAMES', help: `some of ${ENGINE_KINDS.join(',')} (default: all)` },
  regions: { value: 'N', help: 'complete sets of PostgreSQL, Redis and Kafka: 1 or 2 (default: 2)' },
  data: { value: 'DIR', help: 'where the engines keep their data (default: PARLEY_SERVICES_DATA)' },
  'port-offset': { value: 'N', help: 'added to every port, for a second set (default: 0)' },
  json: { help: 'print the addresses as JSON' },
  help: { help: 'print this', short: 'h' },
};

const ABOUT =
  'The engines that Parley runs on, on this machine, without containers: up installs and starts what does not run,\n' +
  'down ends it by pid, status tells port, version, pid and memory. They listen on loopback only. Nothing here is for production.';

/** `parley services up|down|status` */
export async function services(argv: readonly string[]): Promise<number> {
  const [action, ...rest] = argv;
  const flags = parseFlags('services', FLAGS, action?.startsWith('-') === true ? argv : rest);
  if (flags.on('help') || action === undefined) {
    console.log(flagsHelp('parley services up|down|status [flags]', ABOUT, FLAGS));
    return flags.on('help') ? EXIT.ok : EXIT.usage;
  }
  const folder = servicesFolder(flags.text('data'));
  const only = kindsOf(flags.text('only'));
  const json = flags.on('json');
  const progress = (what: string, seconds: number): void => {
    if (!json) console.log(`  ${what.padEnd(48)} ${seconds.toFixed(1)} s`);
  };
  try {
    switch (action) {
      case 'up': {
        if (!json) console.log(`» starting the engines in ${folder}`);
        const regions = flags.integer('regions', 1, 2) ?? 2;
        const portOffset = flags.integer('port-offset', 0, 50_000) ?? 0;
        const state = await servicesUp({ folder, only, regions, portOffset, progress });
        if (json) console.log(JSON.stringify(state));
        else console.log('✓ they run. Next: parley cluster up');
        return EXIT.ok;
      }
      case 'down': {
        const ended = await servicesDown(folder, only, progress);
        if (json) console.log(JSON.stringify({ ended }));
        else console.log(ended.length === 0 ? 'nothing ran' : `✓ ${ended.length} ended`);
        return EXIT.ok;
      }
      case 'status':
        return status(folder, json);
      default: {
        const problem = `services: ${JSON.stringify(action)} is none of up, down, status`;
        throw new CommandError(EXIT.usage, problem, 'parley services --help');
      }
    }
  } catch (error) {
    if (error instanceof ServiceError) throw new CommandError(EXIT.unavailable, error.message, error.next);
    if (error instanceof ServiceStateError) throw new CommandError(EXIT.failed, error.message, undefined);
    throw error;
  }
}

function kindsOf(text: string | undefined): readonly EngineKind[] | undefined {
  return text?.split(',').map((name) => {
    const kind = ENGINE_KINDS.find((each) => each === name);
    if (kind !== undefined) return kind;
    const problem = `--only: ${JSON.stringify(name)} is none of ${ENGINE_KINDS.join(', ')}`;
    throw new CommandError(EXIT.usage, problem, 'parley services --help');
  });
}

function status(folder: string, json: boolean): number {
  const processes = (readServiceState(folder)?.processes ?? []).map((process) => ({
    ...process,
    running: isRunning(process),
    residentBytes: residentBytes(process.pid),
  }));
  if (json) console.log(JSON.stringify({ folder, processes }));
  else if (processes.length === 0) console.log(`nothing runs from ${folder}. Next: parley services up`);
  else {
    console.log(
      `  ${'engine'.padEnd(18)} ${'port'.padStart(5)} ${'pid'.padStart(8)} ${'memory'.padStart(9)}  version`,
    );
    for (const { name, port, pid, version, running, residentBytes: bytes = 0 } of processes) {
      const memory = running ? `${Math.round(bytes / 1e6)} MB` : 'ended';
      console.log(
        `  ${name.padEnd(18)} ${String(port).padStart(5)} ${String(pid).padStart(8)} ${memory.padStart(9)}  ${version}`,
      );
    }
  }
  return processes.length > 0 && processes.every(({ running }) => running) ? EXIT.ok : EXIT.failed;
}
