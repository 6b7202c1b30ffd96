import { hasElapsed } from '../contract/elapsed.ts';
import type { ChatId } from '../contract/ids.ts';
import type { CountReceiptsResult, ReadHeadsResult } from '../contract/store.ts';
import type { Micros } from '../contract/time.ts';
import { visibleHead } from '../sequencing/membership.ts';
import { armNoLater } from './due-timer.ts';
import { noteSize } from './huge-state.ts';
import { tellOrWait } from './receipts-down.ts';
import { markBehind, pump, pumpReads } from './replay.ts';
import type { Gateway, Out, Session } from './session-state.ts';
import { askWhetherLost, noteRead } from './store-loss.ts';

/**
 * Pulling in large chats. In a huge group whoever has been away is told nothing until he is back, so his session looks:
 * at the list when it opens, at the head when the device opens the chat and as long as it is on screen, and now and then at
 * all heads, one read for all sessions of this gateway. What a look finds is fetched like everything else.
 */

/** A chat comes on screen: what is there by now, and how far the user's own messages have come. */
export function lookAt(gateway: Gateway, session: Session, chatId: ChatId, now: Micros, out: Out): void {
  const { huge, limits } = gateway;
  if (huge.sessions.get(chatId)?.has(session) === true) {
    out.push({ kind: 'read-heads', chatIds: [chatId] });
    armNoLater('heads', huge.timer, limits.openHeadCheck, now, out);
  }
  countOwn(gateway, session, chatId, out);
}

/** Asks how far the user's own messages have come in a chat that is too large to be told of each receipt. */
export function countOwn(gateway: Gateway, session: Session, chatId: ChatId, out: Out): void {
  const { limits } = gateway;
  const open = session.open.get(chatId);
  const view = session.chats.get(chatId);
  if (open === undefined || view === undefined) return;
  // Of a chat that began after WELCOME the size is not known yet: whoever tells of its members says it.
  open.counted = view.size > 0 && view.size <= limits.receiptMembers;
  if (view.size === 0) return;
  if (open.counted) return;
  // One at a time of each chat, however often a device opens it. What comes meanwhile the presence timer asks for.
  if (session.counting.has(chatId)) session.counting.set(chatId, true);
  if (session.counting.has(chatId) || session.counting.size >= limits.openChats) return;
  session.counting.set(chatId, false);
  const request = { chatId, from: session.userId, limit: limits.countedMessages };
  out.push({ kind: 'count-receipts', conn: session.conn, request });
}

/** A chat on screen has so many members: news if nothing else has said it. */
export function learnSize(
  gateway: Gateway,
  session: Session,
  chatId: ChatId,
  size: number,
  now: Micros,
  out: Out,
): void {
  const view = session.chats.get(chatId);
  if (view === undefined || view.size > 0) return;
  noteSize(gateway, session, view, size, now, out);
  countOwn(gateway, session, chatId, out);
}

export function onCounted(
  gateway: Gateway,
  session: Session | undefined,
  chatId: ChatId,
  result: CountReceiptsResult,
  now: Micros,
  out: Out,
): void {
  noteRead(gateway, result.outcome === 'ok', now);
  if (session !== undefined && result.outcome === 'failed') {
    askWhetherLost(gateway, session, now);
    pumpReads(gateway, out);
  }
  const isOld = session?.counting.get(chatId) === true;
  session?.counting.delete(chatId);
  const open = session?.open.get(chatId);
  // Closed again meanwhile; or it failed, and the presence timer asks once more.
  if (session === undefined || open === undefined || result.outcome === 'failed') return;
  open.counted = !isOld;
  for (const count of result.counts) {
    if (count.deliveredCount > 0) tellOrWait(gateway, session, count, out);
  }
}

/** What could not be counted when the chat came on screen. */
export function recount(gateway: Gateway, out: Out): void {
  for (const session of gateway.presence.viewers) {
    for (const [chatId, { counted }] of session.open) if (!counted) countOwn(gateway, session, chatId, out);
  }
}

export function onHeadsTimer(gateway: Gateway, now: Micros, out: Out): void {
  const { huge, limits, presence } = gateway;
  huge.timer.dueAt = undefined;
  if (huge.sessions.size === 0) return;
  const all = huge.readAt === undefined || hasElapsed(huge.readAt, limits.headCheck, now);
  if (all) huge.readAt = now;
  const chatIds = all ? [...huge.sessions.keys()] : onScreen(gateway);
  for (let at = 0; at < chatIds.length; at += limits.lookupBatch) {
    out.push({ kind: 'read-heads', chatIds: chatIds.slice(at, at + limits.lookupBatch) });
  }
  const after = presence.viewers.size > 0 ? limits.openHeadCheck : limits.headCheck;
  armNoLater('heads', huge.timer, after, now, out);
}

function onScreen({ huge, presence }: Gateway): ChatId[] {
  const chatIds = new Set<ChatId>();
  for (const session of presence.viewers) {
    for (const chatId of session.open.keys()) if (huge.sessions.has(chatId)) chatIds.add(chatId);
  }
  return [...chatIds];
}

export function onHeads(gateway: Gateway, result: ReadHeadsResult, now: Micros, out: Out): void {
  // Those of a shard that does not answer are left out, and read the next time.
  const answered = result.outcome === 'ok' && result.heads.length > 0;
  noteRead(gateway, answered, now);
  if (!answered) {
    for (const sessions of gateway.huge.sessions.values())
      for (const session of sessions) askWhetherLost(gateway, session, now);
    pumpReads(gateway, out);
    return;
  }
  for (const [chatId, head] of result.heads) {
    for (const session of gateway.huge.sessions.get(chatId) ?? [])
      takeHead(gateway, session, chatId, head, out);
  }
}

function takeHead(gateway: Gateway, session: Session, chatId: ChatId, head: number, out: Out): void {
  const view = session.chats.get(chatId);
  if (view === undefined) return;
  // In a chat that began after WELCOME the read will say what is visible.
  const visible = view.spans.length === 0 ? head : visibleHead(view.spans, head);
  if (visible <= view.head) return;
  view.head = visible;
  if (session.phase !== 'live') return;
  markBehind(session, view);
  pump(gateway, session, out);
}
