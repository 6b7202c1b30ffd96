import { assert } from '../contract/assert.ts';
import type { UserId } from '../contract/ids.ts';
import type { Limits } from '../contract/limits.ts';
import type { Micros } from '../contract/time.ts';
import { newRateLimiter, type RateLimiter, takeToken } from './rate-limit.ts';

/** How fast one address and one user may call the HTTP API of one process. */
export interface HttpLimiter {
  readonly addresses: RateLimiter;
  readonly users: RateLimiter;
  readonly pause: number;
  /** Requests of each user that are being carried out. *Invariant:* from 1 to `most`; nobody else is in it. */
  readonly underWay: Map<UserId, number>;
  readonly most: number;
}

export type HttpLimiterEvent =
  /** A request before it is carried out: once without `userId`, before its token is read, and once with it. */
  | {
      readonly kind: 'request';
      /** Opaque token of where it comes from; undefined: from where nothing is limited. */
      readonly address: string | undefined;
      /** Of a token that was verified; undefined before. */
      readonly userId: UserId | undefined;
    }
  /** The response to a request of this user that passed has left, or will not. Exactly once for each. */
  | { readonly kind: 'ended'; readonly userId: UserId };

export type HttpLimiterEffect =
  | { readonly kind: 'pass' }
  /** Answer 429 with `rate_limited`; milliseconds, rounded up, from 1. */
  | { readonly kind: 'refuse'; readonly retryAfterMs: number };

export function createHttpLimiter(options: { readonly limits: Limits }): HttpLimiter {
  const { limits } = options;
  const address = { interval: limits.httpAddressInterval, burst: limits.httpAddressBurst };
  const user = { interval: limits.httpUserInterval, burst: limits.httpUserBurst };
  return {
    addresses: newRateLimiter(address, limits.rateBuckets),
    users: newRateLimiter(user, limits.rateBuckets),
    pause: limits.ratePause,
    underWay: new Map(),
    most: limits.httpUserRequests,
  };
}

const PASS: HttpLimiterEffect = { kind: 'pass' };

/**
 * With a `userId` the user is charged, without one the address: a request is charged to each once. A request of a user that
 * passed is under way until `ended`.
 */
export function stepHttpLimiter(
  limiter: HttpLimiter,
  event: HttpLimiterEvent,
  now: Micros,
): HttpLimiterEffect {
  if (event.kind === 'ended') {
    const left = (limiter.underWay.get(event.userId) ?? 0) - 1;
    assert(left >= 0, 'more requests ended than began');
    if (left === 0) limiter.underWay.delete(event.userId);
    else limiter.underWay.set(event.userId, left);
    return PASS;
  }
  const { address, userId } = event;
  const current = userId === undefined ? 0 : (limiter.underWay.get(userId) ?? 0);
  if (current >= limiter.most) return refuse(limiter.pause);
  const by = userId === undefined ? limiter.addresses : limiter.users;
  const key = userId ?? address;
  if (key === undefined) return PASS;
  const wait = takeToken(by, key, now);
  if (wait > 0) return refuse(Math.max(wait, limiter.pause));
  if (userId !== undefined) limiter.underWay.set(userId, current + 1);
  return PASS;
}

function refuse(wait: number): HttpLimiterEffect {
  return { kind: 'refuse', retryAfterMs: Math.ceil(wait / 1_000) };
}
