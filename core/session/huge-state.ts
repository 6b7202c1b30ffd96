import type { ChatId } from '../contract/ids.ts';
import type { Micros } from '../contract/time.ts';
import { armNoLater, type DueTimer } from './due-timer.ts';
import type { ChatView, Gateway, Out, Session } from './session-state.ts';

/**
 * Groups in which the fan-out does not tell everybody (core/fan-out/fan-out-plan.ts), and the sessions here that have them.
 * A session learns that a group is huge wherever it hears of it: from the list, from a read, from a push.
 */
export interface HugeChats {
  readonly sessions: Map<ChatId, Set<Session>>;
  readonly timer: DueTimer;
  /** When the heads of all of them were last asked for; undefined before. */
  readAt: Micros | undefined;
}

export function newHugeChats(): HugeChats {
  return { sessions: new Map(), timer: { dueAt: undefined }, readAt: undefined };
}

/** @param size current members of the view's chat; 0 when it is not known. */
export function noteSize(
  gateway: Gateway,
  session: Session,
  view: ChatView,
  size: number,
  now: Micros,
  out: Out,
): void {
  view.size = size;
  const { huge, limits } = gateway;
  if (size <= limits.hugeGroup) return;
  const sessions = huge.sessions.get(view.chatId);
  if (sessions === undefined) huge.sessions.set(view.chatId, new Set([session]));
  else sessions.add(session);
  if (huge.timer.dueAt === undefined) armNoLater('heads', huge.timer, limits.openHeadCheck, now, out);
}

/** The fan-out says so: its own count was a number, here it is enough that it is too large. */
export function noteHuge(gateway: Gateway, session: Session, view: ChatView, now: Micros, out: Out): void {
  noteSize(gateway, session, view, Math.max(view.size, gateway.limits.hugeGroup + 1), now, out);
}

export function leaveHugeChats(gateway: Gateway, session: Session): void {
  const { sessions } = gateway.huge;
  if (sessions.size === 0) return;
  for (const chatId of session.chats.keys()) leaveHugeChat(gateway, session, chatId);
}

export function leaveHugeChat({ huge: { sessions } }: Gateway, session: Session, chatId: ChatId): void {
  const those = sessions.get(chatId);
  if (those === undefined) return;
  those.delete(session);
  if (those.size === 0) sessions.delete(chatId);
}
