import type { PromiseName, Violation } from './oracle.ts';

/** A bad thing happened. */
export function broken(oracle: PromiseName, at: number, expected: string, observed: string): Violation {
  return { oracle, phase: 'safety', at, expected, observed, stuck: [] };
}

/** A good thing did not happen in time. `stuck`: who waits, and for what. */
export function overdue(
  oracle: PromiseName,
  at: number,
  expected: string,
  observed: string,
  stuck: readonly string[],
): Violation {
  return { oracle, phase: 'liveness', at, expected, observed, stuck };
}
