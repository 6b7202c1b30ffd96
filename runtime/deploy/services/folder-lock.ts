import { mkdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  DataFolderInUseError,
  lockDataFolder,
  type DataFolderLock,
} from '../../adapters/embedded-postgres/data-folder-lock.ts';
import { ServiceError } from './service-error.ts';

export interface FolderLockOptions {
  readonly folder: string;
  /** Told once, when another process has it. */
  readonly onWait?: ((pid: number) => void) | undefined;
}

/** As long as the slowest installation may take on a busy machine. */
const WAIT_MS = 1_800_000;
const POLL_MS = 200;

/**
 * Two commands that start or end engines of one folder would each start what the other has not written down yet, and two that
 * install a program would do it twice: the second waits. A command that was killed holds nothing.
 * @throws ServiceError when another one has it for half an hour.
 */
export async function withFolderLock<T>(options: FolderLockOptions, work: () => Promise<T>): Promise<T> {
  const lock = await take(options);
  try {
    return await work();
  } finally {
    lock.release();
  }
}

async function take({ folder, onWait }: FolderLockOptions): Promise<DataFolderLock> {
  mkdirSync(folder, { recursive: true });
  const until = performance.now() + WAIT_MS;
  for (let told = false; ; told = true) {
    try {
      return lockDataFolder(folder);
    } catch (error) {
      if (!(error instanceof DataFolderInUseError)) throw error;
      if (performance.now() > until) {
        const problem = `process ${error.pid} has been at work in ${folder} for ${WAIT_MS / 60_000} minutes`;
        throw new ServiceError(problem, `look what it does, or end it: kill ${error.pid}`);
      }
      if (!told) onWait?.(error.pid);
      await sleep(POLL_MS);
    }
  }
}
