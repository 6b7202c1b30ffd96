import { linkSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isRunning, ownIdentity, type ProcessIdentity } from './process-identity.ts';

/**
 * One server a data folder. The lock is a file `server.lock.<n>` that names its holder; the highest n counts. Taking over
 * from a dead holder creates n + 1, which only one of many can do (link(2) fails when the name exists), and whoever then
 * sees a higher number than his own has lost. So no lock is ever removed while somebody may take it for his, and a
 * server that was killed leaves nothing that has to be cleaned up by hand.
 */
export interface DataFolderLock {
  release(): void;
}

export class DataFolderInUseError extends Error {
  override readonly name = 'DataFolderInUseError';
  readonly pid: number;

  constructor(dataDir: string, pid: number) {
    super(
      `the data folder ${dataDir} is in use by another server, process ${pid}. ` +
        `Next: stop it (kill ${pid}), or start this one with another data folder`,
    );
    this.pid = pid;
  }
}

const NAME = /^server\.lock\.(\d+)$/;

/** @throws DataFolderInUseError when a running server has the folder; Error when it cannot be written. */
export function lockDataFolder(dataDir: string): DataFolderLock {
  const mine = join(dataDir, `server.lock.new.${process.pid}`);
  try {
    writeFileSync(mine, JSON.stringify(ownIdentity()), { mode: 0o600 });
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new Error(
      `the data folder ${dataDir} cannot be written: ${reason}. Next: give this user the right to it, or use another`,
      { cause },
    );
  }
  try {
    const number = take(dataDir, mine);
    return { release: () => rmSync(lockFile(dataDir, number), { force: true }) };
  } finally {
    rmSync(mine, { force: true });
  }
}

function take(dataDir: string, mine: string): number {
  for (;;) {
    const highest = numbers(dataDir).at(-1) ?? 0;
    const holder = highest === 0 ? undefined : readHolder(dataDir, highest);
    if (holder !== undefined && isRunning(holder)) throw new DataFolderInUseError(dataDir, holder.pid);
    const number = highest + 1;
    try {
      linkSync(mine, lockFile(dataDir, number));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') continue; // somebody was quicker: look again
      throw error;
    }
    const all = numbers(dataDir);
    if (all.at(-1) === number) {
      for (const older of all) if (older < number) rmSync(lockFile(dataDir, older), { force: true });
      return number;
    }
    rmSync(lockFile(dataDir, number), { force: true });
  }
}

function lockFile(dataDir: string, number: number): string {
  return join(dataDir, `server.lock.${number}`);
}

/** Numbers of the lock files, ascending. */
function numbers(dataDir: string): number[] {
  const found: number[] = [];
  for (const name of readdirSync(dataDir)) {
    const match = NAME.exec(name);
    if (match !== null) found.push(Number(match[1]));
  }
  return found.sort((a, b) => a - b);
}

/** Undefined when the file is gone, or was torn by a power failure: link(2) never shows a half-written one. */
function readHolder(dataDir: string, number: number): ProcessIdentity | undefined {
  try {
    const value: unknown = JSON.parse(readFileSync(lockFile(dataDir, number), 'utf8'));
    if (typeof value !== 'object' || value === null || !('pid' in value) || typeof value.pid !== 'number')
      return undefined;
    const started = 'started' in value && typeof value.started === 'string' ? value.started : undefined;
    return { pid: value.pid, started };
  } catch {
    return undefined;
  }
}
