import { hasElapsed } from '../contract/elapsed.ts';
import type { ChatId, UserId } from '../contract/ids.ts';
import type { Micros } from '../contract/time.ts';
import { armNoLater, type DueTimer } from '../session/due-timer.ts';
import type { Gateway, Out, Session } from '../session/session-state.ts';
import type { PresenceStatus } from '../wire/frames.ts';
import type { PresenceReading } from './presence-reading.ts';

/**
 * Presence for those who look: a gateway watches the members of the chats that its devices have on screen, and nobody
 * else. Truth is the registry's leases, read again every `presenceRefresh` whatever the hints say, since hints may drop.
 * A user whose last session is gone stays ONLINE for `presenceGrace`: a reconnect or a handover must not flap.
 */
export interface PresenceBoard {
  readonly watched: Map<UserId, Watched>;
  /** Sessions with a chat on screen. */
  readonly viewers: Set<Session>;
  readonly timer: DueTimer;
}

export interface Watched {
  readonly userId: UserId;
  readonly watchers: Set<Session>;
  /** Undefined until the registry has answered once. */
  status: PresenceStatus | undefined;
  lastSeen: Micros | undefined;
  /** Since when the registry says offline while the status is still ONLINE. */
  offlineSince: Micros | undefined;
}

export function newPresenceBoard(): PresenceBoard {
  return { watched: new Map(), viewers: new Set(), timer: { dueAt: undefined } };
}

/** A chat comes on screen: its members are asked for, until they are told, and now and then from then on. */
export function openPresence(
  gateway: Gateway,
  session: Session,
  chatId: ChatId,
  now: Micros,
  out: Out,
): void {
  session.open.set(chatId, { users: [], told: false, counted: true, age: 0 });
  gateway.presence.viewers.add(session);
  askMembers(gateway, session, chatId, out);
  arm(gateway, gateway.limits.presenceRefresh, now, out);
}

function askMembers(gateway: Gateway, session: Session, chatId: ChatId, out: Out): void {
  const replyTo = { node: gateway.nodeId, conn: session.conn };
  out.push({ kind: 'request', request: { kind: 'members', replyTo, userId: session.userId, chatId } });
}

/** The members of a chat that a session has on screen, told for the first time or again. Large groups show no presence. */
export function watchMembers(
  gateway: Gateway,
  session: Session,
  chatId: ChatId,
  users: readonly UserId[],
  out: Out,
): void {
  const chat = session.open.get(chatId);
  if (chat === undefined) return; // Closed again meanwhile.
  const others = users.filter((user) => user !== session.userId);
  const gone = chat.users;
  chat.users = others.length > gateway.limits.presenceMembers ? [] : others;
  chat.told = true;
  chat.age = 0;
  const fresh: UserId[] = [];
  for (const userId of chat.users) {
    const watched = gateway.presence.watched.get(userId);
    if (watched === undefined) {
      fresh.push(userId);
      const watchers = new Set([session]);
      const unknown = { userId, watchers, status: undefined, lastSeen: undefined, offlineSince: undefined };
      gateway.presence.watched.set(userId, unknown);
      out.push({ kind: 'watch', userId });
    } else if (!watched.watchers.has(session)) {
      watched.watchers.add(session);
      tell(session, watched, out);
    }
  }
  unwatchUnseen(gateway, session, gone, out);
  if (fresh.length > 0) out.push({ kind: 'read-presence', users: fresh });
}

export function closePresence(gateway: Gateway, session: Session, chatId: ChatId, out: Out): void {
  const chat = session.open.get(chatId);
  if (chat === undefined) return;
  session.open.delete(chatId);
  if (session.open.size === 0) gateway.presence.viewers.delete(session);
  unwatchUnseen(gateway, session, chat.users, out);
}

export function unwatchAll(gateway: Gateway, session: Session, out: Out): void {
  gateway.presence.viewers.delete(session);
  for (const { users } of session.open.values())
    for (const userId of users) unwatch(gateway, session, userId, out);
  session.open.clear();
}

/** Stops watching those of `users` whom no chat on screen shows. */
function unwatchUnseen(gateway: Gateway, session: Session, users: readonly UserId[], out: Out): void {
  for (const userId of users) {
    let seen = false;
    for (const chat of session.open.values()) if (chat.users.includes(userId)) seen = true;
    if (!seen) unwatch(gateway, session, userId, out);
  }
}

function unwatch(gateway: Gateway, session: Session, userId: UserId, out: Out): void {
  const watched = gateway.presence.watched.get(userId);
  if (watched === undefined) return;
  watched.watchers.delete(session);
  if (watched.watchers.size > 0) return;
  gateway.presence.watched.delete(userId);
  out.push({ kind: 'unwatch', userId });
}

export function onPresence(
  gateway: Gateway,
  readings: readonly PresenceReading[],
  now: Micros,
  out: Out,
): void {
  let leaving = false;
  for (const reading of readings) {
    const watched = gateway.presence.watched.get(reading.userId);
    if (watched === undefined) continue;
    if (reading.online) {
      watched.offlineSince = undefined;
      become(watched, 'ONLINE', undefined, out);
    } else if (watched.status === undefined && leftJustNow(gateway, reading, now)) {
      // The grace is the user's, whoever looks: a chat that is opened during it must not show a handover.
      watched.offlineSince = now;
      leaving = true;
      become(watched, 'ONLINE', undefined, out);
    } else if (watched.status !== 'ONLINE') become(watched, 'OFFLINE', reading.lastSeen, out);
    else if (watched.offlineSince === undefined) {
      watched.offlineSince = now;
      leaving = true;
    } else if (hasElapsed(watched.offlineSince, gateway.limits.presenceGrace, now)) {
      become(watched, 'OFFLINE', reading.lastSeen ?? watched.offlineSince, out);
      watched.offlineSince = undefined;
    }
  }
  if (!leaving) return;
  // Look again as soon as the grace is over, or sooner: whoever leaves next must not put off who left before.
  arm(gateway, gateway.limits.presenceGrace, now, out);
}

function leftJustNow(gateway: Gateway, { lastSeen }: PresenceReading, now: Micros): boolean {
  return lastSeen !== undefined && !hasElapsed(lastSeen, gateway.limits.presenceGrace, now);
}

function become(watched: Watched, status: PresenceStatus, lastSeen: Micros | undefined, out: Out): void {
  if (watched.status === status) return;
  watched.status = status;
  watched.lastSeen = lastSeen;
  for (const session of watched.watchers) tell(session, watched, out);
}

function tell(session: Session, watched: Watched, out: Out): void {
  const { status, lastSeen, userId } = watched;
  if (status === undefined) return;
  out.push({ kind: 'frame', conn: session.conn, frame: { frame: 'PRESENCE', userId, status, lastSeen } });
}

/** Best effort, so it only makes the next reading come sooner. */
export function onPresenceHint(gateway: Gateway, userId: UserId, out: Out): void {
  if (gateway.presence.watched.has(userId)) out.push({ kind: 'read-presence', users: [userId] });
}

export function onPresenceWake(gateway: Gateway, now: Micros, out: Out): void {
  const { presence, limits } = gateway;
  presence.timer.dueAt = undefined;
  if (presence.viewers.size === 0) return;
  const stale: { readonly session: Session; readonly chatId: ChatId }[] = [];
  for (const session of presence.viewers) {
    for (const [chatId, chat] of session.open) {
      chat.age++;
      if (!chat.told) askMembers(gateway, session, chatId, out);
      else if (chat.age >= limits.membersRefresh) stale.push({ session, chatId });
    }
  }
  // Behind those who have not heard yet: a service that is full takes the first of them, each time.
  for (const { session, chatId } of stale) askMembers(gateway, session, chatId, out);
  const users: UserId[] = [];
  let leaving = false;
  for (const watched of presence.watched.values()) {
    users.push(watched.userId);
    if (watched.offlineSince !== undefined) leaving = true;
  }
  for (let at = 0; at < users.length; at += limits.lookupBatch) {
    out.push({ kind: 'read-presence', users: users.slice(at, at + limits.lookupBatch) });
  }
  arm(
    gateway,
    leaving ? Math.min(limits.presenceGrace, limits.presenceRefresh) : limits.presenceRefresh,
    now,
    out,
  );
}

function arm(gateway: Gateway, after: number, now: Micros, out: Out): void {
  armNoLater('presence', gateway.presence.timer, after, now, out);
}
