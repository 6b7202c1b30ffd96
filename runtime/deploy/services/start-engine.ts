import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { identityOf } from '../../adapters/embedded-postgres/process-identity.ts';
import type { Engine } from './engine.ts';
import { portIsOpen } from './port-answer.ts';
import { portOwner } from './port-owner.ts';
import { ServiceError } from './service-error.ts';
import type { ServiceProcess } from './service-state.ts';

const READY_MS = 60_000;
const POLL_MS = 100;

/**
 * Starts one process of an engine and waits until it answers.
 * @param folder of all engines; each has one of its own below it, with its data and its log.
 * @param remember told of the process at once: it runs from then on, whatever becomes of this command.
 * @throws ServiceError when a port is taken, the process ends, or does not answer in time.
 */
export async function startEngine(
  engine: Engine,
  folder: string,
  remember: (started: ServiceProcess) => void,
): Promise<void> {
  const { name, kind, port } = engine;
  await refuseTakenPorts(engine);
  const own = join(folder, name);
  mkdirSync(own, { recursive: true });
  const { command, args, runAs, version } = await engine.prepare(own);
  const log = openSync(join(own, 'log'), 'a');
  const child = spawn(command, args, {
    cwd: own,
    detached: true,
    stdio: ['ignore', log, log],
    env: withoutKeys(process.env),
    ...runAs,
  });
  closeSync(log);
  let end: string | undefined;
  child.once('error', (error) => (end = error.message));
  child.once('exit', (code, signal) => (end ??= `it ended with ${signal ?? code}`));
  child.unref();
  if (child.pid !== undefined) remember({ name, kind, port, version, ...identityOf(child.pid) });
  await untilAnswers(engine, folder, () => end);
}

/** Parley's own variables mean Parley; an engine has its settings from us alone. */
function withoutKeys(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(environment).filter(([key]) => !key.startsWith('PARLEY_')));
}

async function refuseTakenPorts({ name, port, otherPorts = [] }: Engine): Promise<void> {
  for (const each of [port, ...otherPorts]) {
    if (!(await portIsOpen(each))) continue;
    throw new ServiceError(
      `${name}: port ${each} is in use by ${portOwner(each) ?? 'another process'}`,
      'end that process, or use other ports: parley services up --port-offset auto',
    );
  }
}

/**
 * @param end why the process is gone; undefined while it is there, or nobody knows.
 * @throws ServiceError with the last lines of its log.
 */
export async function untilAnswers(
  engine: Engine,
  folder: string,
  end: () => string | undefined,
): Promise<void> {
  const until = performance.now() + READY_MS;
  while (!(await engine.answers())) {
    if (end() === undefined && performance.now() < until) {
      await sleep(POLL_MS);
      continue;
    }
    const log = join(folder, engine.name, 'log');
    const reason = end() ?? `it does not answer on port ${engine.port} after ${READY_MS / 1_000} s`;
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
