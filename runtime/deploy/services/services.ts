import { isRunning } from '../../adapters/embedded-postgres/process-identity.ts';
import { endEngine } from './end-engine.ts';
import type { Engine, EngineKind, Program } from './engine.ts';
import { type EnginePlan, planEngines, type PlanOptions } from './engine-plan.ts';
import { type FolderLockOptions, withFolderLock } from './folder-lock.ts';
import { freePortOffset } from './port-offset.ts';
import { ServiceError } from './service-error.ts';
import {
  readServiceState,
  type ServiceProcess,
  type ServiceState,
  writeServiceState,
} from './service-state.ts';
import { settleAll } from './settle-all.ts';
import { startEngine, untilAnswers } from './start-engine.ts';

/** Told of each thing that was done, with how long it took in seconds. */
export type Progress = (what: string, seconds: number) => void;

export interface ServicesOptions extends Omit<PlanOptions, 'portOffset'> {
  readonly folder: string;
  /** Undefined: all of them. */
  readonly only?: readonly EngineKind[] | undefined;
  /** `auto`: the first offset whose ports are free. Undefined: where the folder's engines are already, else 0. */
  readonly portOffset?: number | 'auto' | undefined;
  readonly progress: Progress;
  /** For tests. */
  readonly plan?: (options: PlanOptions) => EnginePlan;
}

/**
 * Installs and starts what does not run yet; what runs is left alone.
 * @throws ServiceError that says which one failed and what to do; the others run nevertheless.
 */
export async function servicesUp(options: ServicesOptions): Promise<ServiceState> {
  return withFolderLock(lockOf(options.folder, options.progress), () => up(options));
}

function lockOf(folder: string, progress: Progress): FolderLockOptions {
  return {
    folder,
    onWait: (pid) => progress(`waiting for process ${pid}, which works on the same engines`, 0),
  };
}

async function up(options: ServicesOptions): Promise<ServiceState> {
  const { folder, only, progress } = options;
  const { known, regions, portOffset, plan } = await planFor(options);
  const wanted = plan.engines.filter(({ kind }) => only === undefined || only.includes(kind));
  await installAll([...new Set(wanted.map(({ program }) => program))], progress);
  const state = { version: 1 as const, portOffset, ...plan.addresses, processes: known };
  const remember = (started: ServiceProcess): void => {
    state.processes = [...state.processes.filter(({ name }) => name !== started.name), started];
    writeServiceState(folder, state);
  };
  await settleAll(wanted.map((engine) => start(engine, known, folder, remember, progress)));
  await settleAll(wanted.map((engine) => engine.furnish?.() ?? Promise.resolve()));
  progress(enginesText(wanted.length, regions), 0);
  writeServiceState(folder, state);
  return state;
}

/** Engines that run stay where they are: the folder has one port offset, and no region of it is forgotten. */
async function planFor(options: ServicesOptions): Promise<{
  known: ServiceProcess[];
  regions: number;
  portOffset: number;
  plan: EnginePlan;
}> {
  const { folder, portOffset: asked, plan = planEngines } = options;
  const before = readServiceState(folder);
  const known = before?.processes.filter(isRunning) ?? [];
  const there = known.length === 0 ? undefined : (before?.portOffset ?? 0);
  if (typeof asked === 'number' && there !== undefined && asked !== there) {
    throw new ServiceError(
      `engines in ${folder} run with port offset ${there}, not ${asked}`,
      `parley services down --data ${folder}, or another folder with --data`,
    );
  }
  const regions = Math.max(options.regions, known.length === 0 ? 0 : (before?.regions.length ?? 0));
  const portsOf = (portOffset: number): number[] =>
    plan({ ...options, regions, portOffset }).engines.flatMap(({ port, otherPorts = [] }) => [
      port,
      ...otherPorts,
    ]);
  const portOffset =
    there ?? (asked === 'auto' ? await freePortOffset(portsOf) : (asked ?? before?.portOffset ?? 0));
  return { known, regions, portOffset, plan: plan({ ...options, regions, portOffset }) };
}

/** At the same time, but for those whose installer takes one at a time. */
async function installAll(programs: readonly Program[], progress: Progress): Promise<void> {
  const queued = programs.filter(({ alone }) => alone === true);
  const inTurn = async (): Promise<void> => {
    for (const program of queued) await install(program, progress);
  };
  const others = programs.filter(({ alone }) => alone !== true);
  await settleAll([inTurn(), ...others.map((program) => install(program, progress))]);
}

async function install(program: Program, progress: Progress): Promise<void> {
  if (program.isInstalled()) return;
  const began = performance.now();
  progress(`${program.name}: installing`, 0);
  await program.install().catch((error: unknown) => {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ServiceError(`${program.name} could not be installed: ${reason}`, 'parley services up, again');
  });
  progress(`${program.name}: installed`, (performance.now() - began) / 1_000);
}

async function start(
  engine: Engine,
  known: readonly ServiceProcess[],
  folder: string,
  remember: (started: ServiceProcess) => void,
  progress: Progress,
): Promise<void> {
  const began = performance.now();
  const running = known.find(({ name }) => name === engine.name);
  if (running === undefined) await startEngine(engine, folder, remember);
  else await untilAnswers(engine, folder, () => (isRunning(running) ? undefined : 'it has ended'));
  const how = running === undefined ? 'started' : 'runs';
  progress(`${engine.name}: ${how} on port ${engine.port}`, (performance.now() - began) / 1_000);
}

/**
 * Ends what runs, by pid.
 * @param only undefined: all of them.
 * @returns the names of what was ended.
 */
export async function servicesDown(
  folder: string,
  only: readonly EngineKind[] | undefined,
  progress: Progress,
): Promise<readonly string[]> {
  if (readServiceState(folder) === undefined) return [];
  return withFolderLock(lockOf(folder, progress), async () => {
    const state = readServiceState(folder);
    const running = (state?.processes ?? []).filter(isRunning);
    const ending = running.filter(({ kind }) => only === undefined || only.includes(kind));
    await settleAll(
      ending.map(async (service) => {
        const began = performance.now();
        await endEngine(service);
        progress(`${service.name}: ended`, (performance.now() - began) / 1_000);
      }),
    );
    if (state !== undefined) writeServiceState(folder, { ...state, processes: running.filter(isRunning) });
    return ending.map(({ name }) => name);
  });
}

function enginesText(engines: number, regions: number): string {
  const where = regions === 1 ? 'one region' : `${regions} regions`;
  return engines === 1 ? `1 engine of ${where} answers` : `${engines} engines of ${where} answer`;
}
