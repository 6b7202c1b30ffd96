import { readFileSync } from 'node:fs';

/** One life of a process: its number is given out again, in a container to every run of the same program. */
export interface ProcessLife {
  readonly pid: number;
  /** When it began, as Linux counts it; undefined elsewhere. */
  readonly started?: string | undefined;
}

export function ownLife(): ProcessLife {
  return { pid: process.pid, started: startOf(process.pid) };
}

/** Whether that life goes on. Where nobody tells when a process began, its number alone counts. */
export function isRunning({ pid, started }: ProcessLife): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  const current = startOf(pid);
  return started === undefined || current === undefined || current === started;
}

/** proc_pid_stat(5): field 22, the 20th behind the name, which may itself contain spaces. */
function startOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return undefined;
  }
}
