import type { UserId } from '../contract/ids.ts';
import type { Limits } from '../contract/limits.ts';
import type { Micros } from '../contract/time.ts';
import { newRateLimiter, type RateLimiter, takeToken } from './rate-limit.ts';

/** How fast one address and one user may call the HTTP API of one process. */
export interface HttpLimiter {
  readonly addresses: RateLimiter;
  readonly users: RateLimiter;
  readonly pause: number;
}

/** A request before it is carried out: once without `userId`, before its token is read, and once with it. */
export interface HttpLimiterEvent {
  readonly kind: 'request';
  /** Opaque token of where it comes from; undefined: from where nothing is limited. */
  readonly address: string | undefined;
  /** Of a token that was verified; undefined before. */
  readonly userId: UserId | undefined;
}

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
  };
}

const PASS: HttpLimiterEffect = { kind: 'pass' };

/** With a `userId` the user is charged, without one the address: a request is charged to each once. */
export function stepHttpLimiter(
  limiter: HttpLimiter,
  event: HttpLimiterEvent,
  now: Micros,
): HttpLimiterEffect {
  const { address, userId } = event;
  const by = userId === undefined ? limiter.addresses : limiter.users;
  const key = userId ?? address;
  if (key === undefined) return PASS;
  const wait = takeToken(by, key, now);
  return wait === 0
    ? PASS
    : { kind: 'refuse', retryAfterMs: Math.ceil(Math.max(wait, limiter.pause) / 1_000) };
}
