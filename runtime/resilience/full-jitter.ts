import { doubled } from '../../core/contract/backoff.ts';

/**
 * How long to wait before attempt number `attempt`: anything from nothing to a ceiling that doubles with each attempt ("full
 * jitter": those who failed together come back apart, https://aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter/).
 * @param attempt from 0.
 * @param baseMs ceiling of the first pause, in milliseconds.
 * @param maxMs no ceiling is higher.
 * @param random from 0 to below 1; given by who is tested with other chances.
 */
export function fullJitter(
  attempt: number,
  baseMs: number,
  maxMs: number,
  random: () => number = Math.random,
): number {
  return random() * doubled(baseMs, attempt, maxMs);
}
