import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { identityOf, isRunning } from '../../adapters/embedded-postgres/process-identity.ts';
import type { Engine, EngineKind } from './engine.ts';
import { INSTALLERS, planEngines, type PlanOptions } from './engine-plan.ts';
import { portIsOpen } from './port-answer.ts';
import {
  readServiceState,
  type ServiceProcess,
  type ServiceState,
  writeServiceState,
} from './service-state.ts';

/** An engine could not be had. `next`: what to do. */
export class ServiceError extends Error {
  override readonly name = 'ServiceError';
  readonly next: string;

  constructor(message: string, next: string) {
    super(message);
    this.next = next;
  }
}

export interface ServicesOptions extends PlanOptions {
  readonly folder: string;
  /** Undefined: all of them. */
  readonly only: readonly EngineKind[] | undefined;
  /** Told of each thing that was done, with how long it took. */
  readonly progress: (what: string, seconds: number) => void;
}

const READY_MS = 60_000;
const TERM_MS = 15_000;

/**
 * Installs and starts what does not run yet; what runs is left alone.
 * @throws ServiceError
 */
export async function servicesUp(options: ServicesOptions): Promise<ServiceState> {
  const { folder, only, progress } = options;
  const plan = planEngines(options);
  const wanted = plan.engines.filter(({ kind }) => only === undefined || only.includes(kind));
  mkdirSync(folder, { recursive: true });
  await installAll([...new Set(wanted.map(({ kind }) => kind))], progress);
  const known = readServiceState(folder)?.processes.filter(isRunning) ?? [];
  const state = { version: 1 as const, ...plan.addresses, processes: known };
  // Each that was started is remembered at once, whatever becomes of the others.
  const remember = (started: ServiceProcess): void => {
    state.processes = [...state.processes.filter(({ name }) => name !== started.name), started];
    writeServiceState(folder, state);
  };
  await settleAll(wanted.map((engine) => start(engine, known, folder, remember, progress)));
  await settleAll(wanted.map((engine) => engine.furnish?.() ?? Promise.resolve()));
  writeServiceState(folder, state);
  return state;
}

async function installAll(
  kinds: readonly EngineKind[],
  progress: ServicesOptions['progress'],
): Promise<void> {
  const installers = new Map(kinds.map((kind) => [INSTALLERS[kind], kind]));
  await settleAll(
    [...installers].map(async ([install, kind]) => {
      const began = performance.now();
      await install();
      progress(`${kind}: installed`, (performance.now() - began) / 1_000);
    }),
  );
}

async function start(
  engine: Engine,
  known: readonly ServiceProcess[],
  folder: string,
  remember: (started: ServiceProcess) => void,
  progress: ServicesOptions['progress'],
): Promise<void> {
  const { name, kind, port, version } = engine;
  const began = performance.now();
  const took = (): number => (performance.now() - began) / 1_000;
  if (known.some((process) => process.name === name)) {
    await untilReady(engine, undefined, folder);
    progress(`${name}: runs on port ${port}`, took());
    return;
  }
  if (await portIsOpen(port)) {
    throw new ServiceError(
      `${name}: port ${port} is in use by another process`,
      `end that process, or choose other ports: parley services up --port-offset 1000`,
    );
  }
  const own = join(folder, name);
  mkdirSync(own, { recursive: true });
  const launch = await engine.prepare(own);
  const log = openSync(join(own, 'log'), 'a');
  const child = spawn(launch.command, launch.args, {
    cwd: own,
    detached: true,
    stdio: ['ignore', log, log],
    env: { ...process.env, ...launch.environment },
    ...launch.runAs,
  });
  closeSync(log);
  const failed = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code, signal) => resolve(`it ended with ${signal ?? code}`));
  });
  child.unref();
  if (child.pid !== undefined) remember({ name, kind, port, version, ...identityOf(child.pid) });
  await untilReady(engine, failed, folder);
  progress(`${name}: started on port ${port}`, took());
}

async function untilReady(
  engine: Engine,
  failed: Promise<string> | undefined,
  folder: string,
): Promise<void> {
  let end: string | undefined;
  void failed?.then((reason) => (end = reason));
  const until = performance.now() + READY_MS;
  while (!(await engine.answers())) {
    const late = performance.now() > until;
    if (end === undefined && !late) {
      await sleep(100);
      continue;
    }
    const log = join(folder, engine.name, 'log');
    const reason = end ?? `it does not answer on port ${engine.port} after ${READY_MS / 1_000} s`;
    throw new ServiceError(`${engine.name}: ${reason}\n${lastLines(log)}`, `read ${log}`);
  }
}

function lastLines(path: string): string {
  try {
    return readFileSync(path, 'utf8').trimEnd().split('\n').slice(-5).join('\n');
  } catch {
    return '';
  }
}

/** Ends what runs, by pid. @returns the names of what was ended. */
export async function servicesDown(
  folder: string,
  only: readonly EngineKind[] | undefined,
  progress: ServicesOptions['progress'],
): Promise<readonly string[]> {
  const state = readServiceState(folder);
  if (state === undefined) return [];
  const running = state.processes.filter(isRunning);
  const ending = running.filter(({ kind }) => only === undefined || only.includes(kind));
  await settleAll(
    ending.map(async (process) => {
      const began = performance.now();
      await end(process);
      progress(`${process.name}: ended`, (performance.now() - began) / 1_000);
    }),
  );
  writeServiceState(folder, { ...state, processes: running.filter((each) => !ending.includes(each)) });
  return ending.map(({ name }) => name);
}

async function end(service: ServiceProcess): Promise<void> {
  // SIGINT is PostgreSQL's fast shutdown: SIGTERM waits for its clients.
  process.kill(service.pid, service.kind === 'postgres' ? 'SIGINT' : 'SIGTERM');
  for (let waited = 0; isRunning(service); waited += 50) {
    if (waited >= TERM_MS) process.kill(service.pid, 'SIGKILL');
    await sleep(50);
  }
}

/** Waits for all, then fails with the first failure: what succeeded meanwhile is remembered. */
async function settleAll(works: readonly Promise<void>[]): Promise<void> {
  const results = await Promise.allSettled(works);
  const failure = results.find((result) => result.status === 'rejected');
  if (failure !== undefined) throw failure.reason;
}

/** Resident memory of a process in bytes, where the kernel tells it. */
export function residentBytes(pid: number): number | undefined {
  try {
    const kilobytes = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return kilobytes === undefined ? undefined : Number(kilobytes) * 1_024;
  } catch {
    return undefined;
  }
}
