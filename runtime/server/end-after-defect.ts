import { within } from '../driver/within.ts';

/** How long a broken process may take to let go of things. One of them may be what broke, and never end. */
const END_MS = 5_000;

/**
 * Tells that a process with a broken machine is to end, once everything that it held has been let go of, or was not in
 * time: nobody restarts a process that goes on.
 */
export function endAfterDefect(ends: readonly (Promise<void> | undefined)[], onBroken: () => void): void {
  const all = ends.filter((end) => end !== undefined);
  within(END_MS, Promise.allSettled(all)).then(onBroken, onBroken);
}
