import type { ClientMsgId } from '../contract/ids.ts';
import type { Limits } from '../contract/limits.ts';
import type { Micros } from '../contract/time.ts';
import { type Bucket, FULL_BUCKET, newRateLimiter, type Rate, type RateLimiter } from './rate-limit.ts';

/** The buckets of one gateway; what is done with them is in session-rates.ts. */
export interface GatewayRates {
  readonly devices: RateLimiter;
  readonly users: RateLimiter;
  readonly frames: Rate;
  readonly refusals: Rate;
  readonly addressConnects: RateLimiter;
  readonly userConnects: RateLimiter;
}

/** What one connection has used up. */
export interface SessionRates {
  /** From the first SEND on: most connections only listen. Shared with the user's and the device's other sessions. */
  sends: { readonly device: Bucket; readonly user: Bucket } | undefined;
  framesFullAt: Micros;
  refusalsFullAt: Micros;
  /** The refused send that must come first. */
  first: ClientMsgId | undefined;
  /** When it was refused the last time. */
  refusedAt: Micros;
}

export function newSessionRates(): SessionRates {
  return {
    sends: undefined,
    framesFullAt: FULL_BUCKET,
    refusalsFullAt: FULL_BUCKET,
    first: undefined,
    refusedAt: FULL_BUCKET,
  };
}

export function newGatewayRates(limits: Limits): GatewayRates {
  const limiter = (interval: number, burst: number): RateLimiter =>
    newRateLimiter({ interval, burst }, limits.rateBuckets);
  return {
    devices: limiter(limits.deviceSendInterval, limits.deviceSendBurst),
    users: limiter(limits.userSendInterval, limits.userSendBurst),
    frames: { interval: limits.frameInterval, burst: limits.frameBurst },
    refusals: {
      interval: Math.ceil((limits.refusalPauses * limits.ratePause) / limits.rateRefusals),
      burst: limits.rateRefusals,
    },
    addressConnects: limiter(limits.addressConnectInterval, limits.addressConnectBurst),
    userConnects: limiter(limits.userConnectInterval, limits.userConnectBurst),
  };
}
