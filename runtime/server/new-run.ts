import { randomInt } from 'node:crypto';

/** @returns a number that no earlier start of a name had, as good as certainly: the time, and chance within a millisecond. */
export function newRun(): string {
  return `${Date.now()}${String(randomInt(1_000_000)).padStart(6, '0')}`;
}
