import { DEFAULT_LIMITS, type Limits } from '../../core/contract/limits.ts';

/**
 * Values that make rare paths common: windows of one, batches of one, queues that are full at once. Only counts and
 * sizes; durations are scaled together, since their order (a heartbeat before silence, a renewal before the end of the
 * lease) is what the machines rely on.
 */
export const TIGHT_LIMITS: readonly (readonly [keyof Limits, readonly number[]])[] = [
  ['deviceOutbox', [2, 4]],
  ['deviceSendWindow', [1, 2]],
  ['deviceAhead', [1, 2]],
  ['receiptBatch', [1, 2]],
  ['readPage', [1, 2]],
  ['inFlightMessages', [1, 1, 2, 3]],
  ['inFlightBytes', [200, 2_000]],
  // More than the answers to a whole send window: a device that is closed for those comes back to the same.
  ['socketBufferBytes', [16_000]],
  ['sessionRequests', [1, 2]],
  ['heldPushes', [1, 2, 4]],
  ['sessionSyncs', [1]],
  ['receiptPage', [1, 2]],
  ['fetchPage', [1, 2, 3]],
  ['fetchBytes', [1, 100]],
  ['syncPage', [1, 2, 3]],
  ['gatewayFetches', [1, 2]],
  ['renewBatch', [1, 2]],
  ['relistRenewals', [1, 2]],
  ['openingAttempts', [1, 2]],
  ['ownAhead', [1, 2]],
  ['membersRefresh', [1]],
  ['replyTos', [1]],
  ['strangerBurst', [1, 2]],
  ['presenceMembers', [2]],
  ['memberSpans', [2]],
  ['loadedChats', [1, 2]],
  ['chatBacklog', [1, 2]],
  ['serviceBacklog', [2, 4]],
  ['appendBatch', [1, 2]],
  ['recentSends', [1]],
  ['appendAttempts', [1, 2]],
  ['receiptsPending', [2, 4]],
  ['receiptsBatch', [1, 2]],
  ['receiptMembers', [1, 2]],
  ['outboxBatch', [1, 2]],
  ['relayInFlight', [1, 2]],
  ['inlineRecipients', [1, 2]],
  ['fanOutPage', [1, 2]],
  ['inlineCiphertext', [0, 8]],
  ['deliveryTasks', [1, 2]],
  ['pushAttempts', [1, 1, 2]],
  ['lookupBatch', [1, 2]],
  ['deviceSendBurst', [1, 2]],
  ['userSendBurst', [1, 3]],
  ['frameBurst', [1, 3]],
  ['addressConnectBurst', [1, 2]],
  ['userConnectBurst', [1, 2]],
  ['rateBuckets', [1, 2]],
  ['countedMessages', [1, 2]],
  ['hugeGroup', [1, 2]],
  ['activeDistance', [1, 2]],
  ['websocketAttempts', [1, 3]],
  ['pollResponseBytes', [1, 500, 2_000]],
  ['pollFrames', [1, 4]],
  ['pollRequestBytes', [1, 500]],
  ['pollRetries', [0, 1]],
  ['publishEvents', [1, 2]],
  ['relayPublishes', [1, 2]],
];

/** Scaled all together, and set back all together. */
export const DURATIONS: readonly (keyof Limits)[] = [
  'sendRetry',
  'sendRetryMax',
  'gapPatience',
  'gapPatienceMax',
  'receiptDelay',
  'reconnectBase',
  'reconnectMax',
  'connectTimeout',
  'heartbeat',
  'silence',
  'resumeTimeout',
  'requestTimeout',
  'drainSpread',
  'drainTimeout',
  'sessionRetry',
  'sessionRetryMax',
  'storePatience',
  'leaseTtl',
  'leaseRenew',
  'presenceRefresh',
  'presenceGrace',
  'storeRetry',
  'outboxPoll',
  'relayRetry',
  'pushTimeout',
  'pushRetry',
  'deviceSendInterval',
  'userSendInterval',
  'strangerInterval',
  'frameInterval',
  'ratePause',
  'overloadRetry',
  'addressConnectInterval',
  'userConnectInterval',
  'countInterval',
  'openHeadCheck',
  'headCheck',
  'websocketRetry',
  'websocketRetryMax',
  'pollSilence',
  'pollWait',
  'pollPatience',
  'pollGrace',
  'pollRetry',
  'headsReread',
];

/** How many times shorter every duration may be, by network: shorter than a round trip, nothing would ever be on time. */
export const SPEEDS: Readonly<Record<'local' | 'region' | 'mobile', readonly number[]>> = {
  local: [1, 10, 100],
  region: [1, 10],
  mobile: [1, 3],
};

/** @returns every duration divided by `speed`, at least 100 µs. Empty when `speed` is 1. */
export function scaledDurations(speed: number): Partial<Record<keyof Limits, number>> {
  const limits: Partial<Record<keyof Limits, number>> = {};
  if (speed === 1) return limits;
  for (const name of DURATIONS) limits[name] = Math.max(100, Math.floor(DEFAULT_LIMITS[name] / speed));
  return limits;
}
