import { setTimeout as sleep } from 'node:timers/promises';
import { StoreNotReadyError } from '../adapters/postgres/store-readiness.ts';
import { fullJitter } from '../resilience/full-jitter.ts';

const BASE_MS = 200;
const MAX_MS = 5_000;

/**
 * Opens engines as soon as they answer: after an outage of everything nobody should have to start the roles by hand.
 * @param onWait told the reason before each pause.
 * @throws StoreNotReadyError when a database answers and must not be used: waiting would not mend that.
 */
export async function untilReachable<Opened>(
  open: () => Promise<Opened>,
  onWait: (reason: string) => void,
): Promise<Opened> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await open();
    } catch (error) {
      // The store wraps what the driver said; a refusal of its own is not wrapped in anything but itself.
      const unreachable = error instanceof StoreNotReadyError && !(error.cause instanceof StoreNotReadyError);
      if (!unreachable || error.cause === undefined) throw error;
      onWait(error.message);
      await sleep(BASE_MS + fullJitter(attempt, BASE_MS, MAX_MS));
    }
  }
}
