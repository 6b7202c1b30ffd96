import { setTimeout as sleep } from 'node:timers/promises';
import {
  DataFolderInUseError,
  lockDataFolder,
  type DataFolderLock,
} from '../../adapters/embedded-postgres/data-folder-lock.ts';
import { ServiceError } from './service-error.ts';

/** As long as the slowest installation may take. */
const WAIT_MS = 600_000;
const POLL_MS = 200;

/**
 * Two commands that start or end engines of one folder would each start what the other has not written down yet: the second
 * waits. A command that was killed holds nothing.
 * @throws ServiceError when another one has it for ten minutes.
 */
export async function withServicesLock<T>(
  folder: string,
  progress: (what: string, seconds: number) => void,
  work: () => Promise<T>,
): Promise<T> {
  const began = performance.now();
  let lock: DataFolderLock | undefined;
  for (let told = false; lock === undefined; ) {
    try {
      lock = lockDataFolder(folder);
    } catch (error) {
      if (!(error instanceof DataFolderInUseError)) throw error;
      const waited = performance.now() - began;
      if (waited > WAIT_MS) {
        const problem = `process ${error.pid} has been starting or ending the engines in ${folder} for ${WAIT_MS / 60_000} minutes`;
        throw new ServiceError(problem, `look what it does, or end it: kill ${error.pid}`);
      }
      if (!told)
        progress(`waiting for process ${error.pid}, which works on the same engines`, waited / 1_000);
      told = true;
      await sleep(POLL_MS);
    }
  }
  try {
    return await work();
  } finally {
    lock.release();
  }
}
