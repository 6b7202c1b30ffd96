import type { Limits } from '../contract/limits.ts';
import type { Micros } from '../contract/time.ts';
import { newRateLimiter, type RateLimiter, takeToken, tokenIn } from '../session/rate-limit.ts';
import { type ChatState, isMember, type Pending } from './chat-state.ts';
import type { MessageService } from './message-service-state.ts';

/**
 * Who is no member of a chat, as far as is known here, is refused only when the chat was read again: another service may
 * have added him. One read may be of ten thousand members, and the sends of those wait for it, so each user may cause only
 * so many that end in a refusal. Beyond that he waits, whether there is such a chat or not: he learns nothing of it.
 */

export function newStrangers(limits: Limits): RateLimiter {
  const { strangerInterval: interval, strangerBurst: burst, rateBuckets } = limits;
  return newRateLimiter({ interval, burst }, rateBuckets);
}

/** @param request of a user who is no member, as far as is known here. @returns whether he has caused too many reads. */
export function mustWaitAsStranger(
  { strangers }: MessageService,
  request: Pending['request'],
  now: Micros,
): boolean {
  // Almost always nobody is known for this.
  if (strangers.buckets.size === 0) return false;
  const bucket = strangers.buckets.get(keyOf(request));
  return bucket !== undefined && tokenIn(bucket.fullAt, strangers.rate, now) > 0;
}

/** A screen asks for the members as long as it is open: the sends of its user must find tokens of their own. */
function keyOf({ kind, userId }: Pending['request']): string {
  return kind === 'submit' ? userId : `members ${userId}`;
}

/** Charges one read to each of those who turned out to be no member. @param chat undefined: there is none. */
export function chargeStrangers(
  { strangers }: MessageService,
  chat: ChatState | undefined,
  asked: readonly Pending[],
  now: Micros,
): void {
  const charged = new Set<string>();
  for (const { request } of asked) {
    if (chat !== undefined && isMember(chat, request.userId)) continue;
    const key = keyOf(request);
    if (!charged.has(key)) takeToken(strangers, key, now);
    charged.add(key);
  }
}
