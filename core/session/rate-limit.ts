import type { Micros } from '../contract/time.ts';

/**
 * Token buckets in integer arithmetic, one number each: the time at which the bucket is full again. It is the virtual
 * scheduling algorithm of ITU-T I.371 (GCRA), which refuses exactly what a bucket of `burst` tokens with one more every
 * `interval` refuses. A bucket whose time has come is full, and so is one that nobody remembers: forgetting is free.
 */
export interface Rate {
  /** Microseconds in which one token comes back; 0: no limit. */
  readonly interval: number;
  /** Tokens of a full bucket. */
  readonly burst: number;
}

export interface Bucket {
  fullAt: Micros;
}

export const FULL_BUCKET = 0 as Micros;

/**
 * A clock that went back behind the last charge makes a bucket look emptier than empty: it counts as full, since a limit
 * may be too lenient once, but must not refuse for hours.
 */
function missing(fullAt: Micros, rate: Rate, now: Micros): number {
  const span = fullAt - now;
  return span <= 0 || span > rate.burst * rate.interval ? 0 : span;
}

/** @returns microseconds until the bucket has a token; 0 when it has one. */
export function tokenIn(fullAt: Micros, rate: Rate, now: Micros): number {
  return Math.max(0, missing(fullAt, rate, now) - (rate.burst - 1) * rate.interval);
}

/** Takes a token that is there. @returns the bucket's new `fullAt`. */
export function charged(fullAt: Micros, rate: Rate, now: Micros): Micros {
  return (now + missing(fullAt, rate, now) + rate.interval) as Micros;
}

/** Buckets by key, at most `most` of them: the oldest are forgotten, full ones first. */
export interface RateLimiter {
  readonly rate: Rate;
  readonly most: number;
  readonly buckets: Map<string, Bucket>;
}

/** @param most from 1. */
export function newRateLimiter(rate: Rate, most: number): RateLimiter {
  return { rate, most, buckets: new Map() };
}

/** Old buckets looked at, at most, when one has to go. */
const LOOKS = 8;

/** @returns the bucket of a key, which stays good while it is held even if the limiter forgets it. */
export function bucketOf(limiter: RateLimiter, key: string, now: Micros): Bucket {
  const { buckets, rate, most } = limiter;
  const known = buckets.get(key);
  if (known !== undefined) return known;
  if (buckets.size >= most) forget(buckets, rate, now);
  const bucket: Bucket = { fullAt: FULL_BUCKET };
  buckets.set(key, bucket);
  return bucket;
}

function forget(buckets: Map<string, Bucket>, rate: Rate, now: Micros): void {
  let looks = LOOKS;
  let oldest: string | undefined;
  for (const [key, { fullAt }] of buckets) {
    if (looks-- === 0) break;
    oldest ??= key;
    if (missing(fullAt, rate, now) > 0) continue;
    buckets.delete(key);
    return;
  }
  if (oldest !== undefined) buckets.delete(oldest);
}

/** Takes a token of the key's bucket. @returns 0, or microseconds until there is one. */
export function takeToken(limiter: RateLimiter, key: string, now: Micros): number {
  const bucket = bucketOf(limiter, key, now);
  const wait = tokenIn(bucket.fullAt, limiter.rate, now);
  if (wait === 0) bucket.fullAt = charged(bucket.fullAt, limiter.rate, now);
  return wait;
}
