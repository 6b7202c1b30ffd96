import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { identityOf, isRunning } from '../adapters/embedded-postgres/process-identity.ts';
import type { ClusterProcess } from './cluster-state.ts';
import type { PlannedProcess } from './cluster-plan.ts';

const MAIN = fileURLToPath(new URL('../main.ts', import.meta.url));
/** As the command `parley` does it. */
const NODE_FLAGS = ['--disable-warning=ExperimentalWarning', '--max-semi-space-size=32'];
const POLL_MS = 50;

export interface LaunchOptions {
  readonly folder: string;
  readonly process: PlannedProcess;
  readonly config: object;
  readonly record?: string | undefined;
  /** Group id to run under: a firewall can tell whose packets are whose. */
  readonly gid?: number | undefined;
}

/** Starts one role on its own: it outlives who started it, and writes into its own log. */
export function launch({ folder, process: planned, config, record, gid }: LaunchOptions): ClusterProcess {
  const { name, role, region, httpPort } = planned;
  for (const part of ['config', 'logs']) mkdirSync(join(folder, part), { recursive: true });
  const configFile = join(folder, 'config', `${name}.json`);
  writeFileSync(configFile, `${JSON.stringify(config, undefined, 2)}\n`, { mode: 0o600 });
  const log = join(folder, 'logs', `${name}.log`);
  const output = openSync(log, 'a', 0o600);
  const flags = record === undefined ? [] : ['--record', record];
  const child = spawn(
    process.execPath,
    [...NODE_FLAGS, MAIN, role, '--config', configFile, '--json', ...flags],
    {
      detached: true,
      stdio: ['ignore', output, output],
      env: withoutKeys(process.env),
      ...(gid === undefined ? {} : { gid }),
    },
  );
  closeSync(output);
  child.unref();
  if (child.pid === undefined) throw new Error(`${process.execPath} cannot be started`);
  return { name, role, region, url: `http://127.0.0.1:${httpPort}`, log, ...identityOf(child.pid) };
}

/** The file alone configures it: a variable of whoever types the command would mean every process. */
function withoutKeys(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(environment).filter(([key]) => !key.startsWith('PARLEY_')));
}

export type Readiness = 'ready' | 'not-ready' | 'gone';

export async function readinessOf(member: ClusterProcess): Promise<{ state: Readiness; detail: string }> {
  if (!isRunning(member)) return { state: 'gone', detail: 'the process has ended' };
  try {
    const answer = await fetch(`${member.url}/readyz`, { signal: AbortSignal.timeout(3_000) });
    const said = (await answer.json()) as { readonly detail?: string; readonly gone?: readonly string[] };
    if (answer.ok) return { state: 'ready', detail: (said.gone ?? []).join('; ') };
    const { detail = '' } = said;
    return { state: 'not-ready', detail };
  } catch {
    return { state: 'not-ready', detail: 'does not answer yet' };
  }
}

/**
 * Waits until a process is ready.
 * @throws Error, with the end of its log, when it ends or is not ready in time.
 */
export async function untilReady(member: ClusterProcess, deadlineMs: number): Promise<void> {
  for (;;) {
    const { state, detail } = await readinessOf(member);
    // Somebody else may have answered at its port.
    if (state === 'ready' && isRunning(member)) return;
    const late = performance.now() > deadlineMs;
    if (state === 'gone' || late) {
      const what = late ? `is not ready in time (${detail})` : 'ended while it started';
      throw new Error(`${member.name} ${what}; its log ends so:\n${logTail(member.log)}`);
    }
    await sleep(POLL_MS);
  }
}

/** The directory is read every two seconds. */
const ACQUAINTED_MS = 6_000;

/**
 * Waits until a process knows so many others: what it would send to one that it does not know yet is lost, and repeated only
 * after a while. Gives up quietly; everything works without.
 */
export async function untilAcquainted({ url }: ClusterProcess, processes: number): Promise<void> {
  for (const until = performance.now() + ACQUAINTED_MS; performance.now() < until; await sleep(100)) {
    try {
      const text = await (await fetch(`${url}/metrics`, { signal: AbortSignal.timeout(1_000) })).text();
      if (Number(/^parley_nodes (\d+)$/m.exec(text)?.[1] ?? 0) >= processes) return;
    } catch {
      // It is busy starting: asked again.
    }
  }
}

export function logTail(log: string): string {
  try {
    return readFileSync(log, 'utf8').trimEnd().split('\n').slice(-8).join('\n');
  } catch {
    return '(there is none)';
  }
}

/** Signals a process that is still the one that was started. @returns when it is gone, or the time is over. */
export async function endProcess(
  member: ClusterProcess,
  signal: 'SIGTERM' | 'SIGKILL',
  withinMs: number,
): Promise<boolean> {
  const until = performance.now() + withinMs;
  if (isRunning(member)) process.kill(member.pid, signal);
  while (isRunning(member)) {
    if (performance.now() > until) return false;
    await sleep(POLL_MS);
  }
  return true;
}
