import { setTimeout as sleep } from 'node:timers/promises';

/** Polls for up to 20 seconds. @throws Error that names what never held. */
export async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 1_000; tries++) {
    if (await holds()) return;
    await sleep(20);
  }
  throw new Error(`never: ${what}`);
}
