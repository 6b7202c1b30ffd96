import type { ChatId } from '../contract/ids.ts';
import type { Micros } from '../contract/time.ts';
import type { ChatView, Gateway, Out, Session } from './session-state.ts';

/**
 * Groups in which the fan-out does not tell everybody (core/fan-out/fan-out-plan.ts), and the sessions here that have them.
 * A session learns that a group is huge wherever it hears of it: from the list, from a read, from a push.
 */
export interface HugeChats {
  readonly sessions: Map<ChatId, Set<Session>>;
  armed: boolean;
  /** When the heads of all of them were last asked for; undefined before. */
  readAt: Micros | undefined;
}

export function newHugeChats(): HugeChats {
  return { sessions: new Map(), armed: false, readAt: undefined };
}

/** @param size current members of the view's chat; 0 when it is not known. */
export function noteSize(gateway: Gateway, session: Session, view: ChatView, size: number, out: Out): void {
  view.size = size;
  const { huge, limits } = gateway;
  if (size <= limits.hugeGroup) return;
  const sessions = huge.sessions.get(view.chatId);
  if (sessions === undefined) huge.sessions.set(view.chatId, new Set([session]));
  else sessions.add(session);
  if (huge.armed) return;
  huge.armed = true;
  out.push({ kind: 'wake', timer: 'heads', conn: undefined, after: limits.openHeadCheck });
}

/** The fan-out says so: its own count was a number, here it is enough that it is too large. */
export function noteHuge(gateway: Gateway, session: Session, view: ChatView, out: Out): void {
  noteSize(gateway, session, view, Math.max(view.size, gateway.limits.hugeGroup + 1), out);
}

export function leaveHugeChats(gateway: Gateway, session: Session): void {
  const { sessions } = gateway.huge;
  if (sessions.size === 0) return;
  for (const chatId of session.chats.keys()) {
    const those = sessions.get(chatId);
    if (those === undefined) continue;
    those.delete(session);
    if (those.size === 0) sessions.delete(chatId);
  }
}
