import { doubled } from '../../core/contract/backoff.ts';

/**
 * How long to wait before attempt number `attempt`: anything from nothing to a ceiling that doubles with each attempt ("full
 * jitter": those who failed together come back apart, https://aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter/).
 * @param attempt from 0.
 * @param baseMs ceiling of the first pause, in milliseconds.
 * @param maxMs no ceiling is higher.
 */
export function fullJitter(attempt: number, baseMs: number, maxMs: number): number {
  return Math.random() * doubled(baseMs, attempt, maxMs);
}
