import { execFileSync } from 'node:child_process';
import { readFileSync, readlinkSync } from 'node:fs';

/** Which process a number means: pids are given out again, so a lock that names one alone may name a stranger. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Start time as the kernel tells it; undefined where it does not. */
  readonly started?: string | undefined;
}

export function ownIdentity(): ProcessIdentity {
  return identityOf(process.pid);
}

/** @param pid of a process that is running now. */
export function identityOf(pid: number): ProcessIdentity {
  return { pid, started: startOf(pid) };
}

export function isRunning(identity: ProcessIdentity): boolean {
  if (!exists(identity.pid)) return false;
  const started = startOf(identity.pid);
  return started === undefined || identity.started === undefined || started === identity.started;
}

/**
 * @returns whether some process has this pid that still holds what it opened: ports, locks. A zombie holds nothing, but of a
 * process with threads the first can be one while another, not yet gone, keeps all of it open.
 */
export function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
  // proc_pid_stat(5): state is field 3, num_threads field 20.
  const stat = statFields(pid);
  return stat?.[0] !== 'Z' || Number(stat[17]) > 1;
}

/** The working directory of a process, where the kernel tells it (Linux). */
export function workingDirectoryOf(pid: number): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    return undefined;
  }
}

/** The command line of a process, or undefined when there is none. */
export function commandOf(pid: number): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return psField(pid, 'command');
  }
}

function startOf(pid: number): string | undefined {
  // proc_pid_stat(5): starttime is field 22, the 20th behind the name, which may itself contain spaces.
  return statFields(pid)?.[19] ?? psField(pid, 'lstart');
}

/** What follows the name in /proc/<pid>/stat: state, ppid, … */
function statFields(pid: number): string[] | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  } catch {
    return undefined;
  }
}

function psField(pid: number, field: string): string | undefined {
  if (process.platform === 'linux') return undefined;
  try {
    const value = execFileSync('ps', ['-o', `${field}=`, '-p', String(pid)], { encoding: 'utf8' }).trim();
    return value === '' ? undefined : value;
  } catch {
    return undefined;
  }
}
