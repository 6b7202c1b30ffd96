import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DEFAULT_LIMITS } from '../contract/limits.ts';
import { userId } from '../contract/ids.ts';
import { micros, SECOND } from '../contract/time.ts';
import { createHttpLimiter, stepHttpLimiter } from './http-limiter.ts';
import { bucketOf, newRateLimiter, takeToken } from './rate-limit.ts';

/** The bucket of the textbook: tokens that come back one by one. */
class Bucket {
  #tokens: number;
  #last = 0;
  readonly #interval: number;
  readonly #burst: number;
  constructor(interval: number, burst: number) {
    this.#interval = interval;
    this.#burst = burst;
    this.#tokens = burst * interval;
  }
  take(at: number): boolean {
    this.#tokens = Math.min(this.#burst * this.#interval, this.#tokens + at - this.#last);
    this.#last = at;
    if (this.#tokens < this.#interval) return false;
    this.#tokens -= this.#interval;
    return true;
  }
}

const interval = fc.integer({ min: 1, max: 5_000 });
const burst = fc.integer({ min: 1, max: 20 });
const gaps = fc.array(fc.integer({ min: 0, max: 9_000 }), { maxLength: 80 });

describe('a bucket that is one number', () => {
  it('lets through what a bucket of tokens lets through, and tells exactly when the next token comes', () => {
    fc.assert(
      fc.property(interval, burst, gaps, (every, full, waits) => {
        const limiter = newRateLimiter({ interval: every, burst: full }, 1);
        const bucket = new Bucket(every, full);
        let now = 1_000;
        for (const gap of waits) {
          now += gap;
          const wait = takeToken(limiter, 'a', micros(now));
          expect(wait === 0).toBe(bucket.take(now));
          if (wait === 0) continue;
          expect(takeToken(limiter, 'a', micros(now + wait - 1))).toBe(1);
          now += wait;
          expect(takeToken(limiter, 'a', micros(now))).toBe(0);
          expect(bucket.take(now)).toBe(true);
        }
      }),
    );
  });

  it('is full again when the clock has gone back, and not for hours empty', () => {
    const limiter = newRateLimiter({ interval: 10, burst: 2 }, 1);
    for (const at of [SECOND, SECOND]) expect(takeToken(limiter, 'a', micros(at))).toBe(0);
    expect(takeToken(limiter, 'a', micros(SECOND))).toBe(10);
    expect(takeToken(limiter, 'a', micros(5))).toBe(0);
  });

  it('has no limit without an interval', () => {
    const limiter = newRateLimiter({ interval: 0, burst: 1 }, 1);
    for (let i = 0; i < 100; i++) expect(takeToken(limiter, 'a', micros(7))).toBe(0);
  });

  it('is remembered for as many keys as are allowed, full ones go first', () => {
    const limiter = newRateLimiter({ interval: 100, burst: 1 }, 2);
    takeToken(limiter, 'a', micros(1_000));
    takeToken(limiter, 'b', micros(1_090));
    takeToken(limiter, 'c', micros(1_150));
    expect([...limiter.buckets.keys()]).toEqual(['b', 'c']);
    const held = bucketOf(limiter, 'b', micros(1_150));
    takeToken(limiter, 'd', micros(1_160));
    expect([...limiter.buckets.keys()]).toEqual(['c', 'd']);
    expect(held.fullAt).toBe(1_190);
  });
});

describe('the limiter of an HTTP server', () => {
  const limits = { ...DEFAULT_LIMITS, httpUserInterval: 2 * SECOND, httpUserBurst: 1, httpAddressBurst: 2 };
  const ask = (limiter: ReturnType<typeof createHttpLimiter>, address?: string, user?: string, at = SECOND) =>
    stepHttpLimiter(
      limiter,
      { kind: 'request', address, userId: user === undefined ? undefined : userId(user) },
      micros(at),
    );

  it('charges addresses before, and users after their token was read', () => {
    const limiter = createHttpLimiter({ limits });
    expect(ask(limiter, '::1')).toEqual({ kind: 'pass' });
    expect(ask(limiter, '::1', 'u_1')).toEqual({ kind: 'pass' });
    expect(ask(limiter, '::1')).toEqual({ kind: 'pass' });
    expect(ask(limiter, '::1', 'u_1')).toEqual({ kind: 'refuse', retryAfterMs: 2_000 });
    expect(ask(limiter, '::1', 'u_2')).toEqual({ kind: 'pass' });
    // A token of the address is there in a millisecond; a pause is the least.
    expect(ask(limiter, '::1')).toEqual({ kind: 'refuse', retryAfterMs: 1_000 });
    expect(ask(limiter, '::2')).toEqual({ kind: 'pass' });
  });

  it('carries out as many requests of a user at once as it may, and as many again when they have ended', () => {
    const limiter = createHttpLimiter({ limits: { ...DEFAULT_LIMITS, httpUserRequests: 2 } });
    const passed = () => [1, 2, 3].filter(() => ask(limiter, undefined, 'u_1').kind === 'pass').length;
    const end = (user: string) =>
      stepHttpLimiter(limiter, { kind: 'ended', userId: userId(user) }, micros(1));
    expect(passed()).toBe(2);
    expect(ask(limiter, undefined, 'u_1')).toEqual({ kind: 'refuse', retryAfterMs: 1_000 });
    expect(ask(limiter, undefined, 'u_2')).toEqual({ kind: 'pass' });
    end('u_1');
    expect(passed()).toBe(1);
    for (const user of ['u_1', 'u_1', 'u_2']) end(user);
    expect(limiter.underWay.size).toBe(0);
    expect(passed()).toBe(2);
  });

  it('limits nothing from where nothing is limited', () => {
    const limiter = createHttpLimiter({ limits });
    for (let i = 0; i < 9; i++) expect(ask(limiter)).toEqual({ kind: 'pass' });
  });
});
