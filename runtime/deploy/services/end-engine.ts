import { setTimeout as sleep } from 'node:timers/promises';
import { isRunning } from '../../adapters/embedded-postgres/process-identity.ts';
import type { ServiceProcess } from './service-state.ts';

const POLL_MS = 50;
/** How long the kernel may need to take away a process that was killed. */
const KILL_MS = 10_000;

/** SIGINT is PostgreSQL's fast shutdown: SIGTERM would wait for its clients. */
function gentle({ kind }: ServiceProcess): NodeJS.Signals {
  return kind === 'postgres' ? 'SIGINT' : 'SIGTERM';
}

/**
 * Ends a process that is still the one that was started, by force after a while.
 * @param graceMs how long it may take to end by itself.
 * @throws Error when it stays.
 */
export async function endEngine(service: ServiceProcess, graceMs = 15_000): Promise<void> {
  signal(service, gentle(service));
  if (await gone(service, graceMs)) return;
  signal(service, 'SIGKILL');
  if (!(await gone(service, KILL_MS)))
    throw new Error(`${service.name}: process ${service.pid} cannot be ended`);
}

/** Looks whose pid it is right before: between two looks it may have ended and its number been given out. */
function signal(service: ServiceProcess, name: NodeJS.Signals): void {
  if (!isRunning(service)) return;
  try {
    process.kill(service.pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

async function gone(service: ServiceProcess, withinMs: number): Promise<boolean> {
  const until = performance.now() + withinMs;
  while (isRunning(service)) {
    if (performance.now() > until) return false;
    await sleep(POLL_MS);
  }
  return true;
}
