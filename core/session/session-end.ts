import type { ChatId, ClientMsgId, ConnId, DeviceId, UserId } from '../contract/ids.ts';
import { hashText, keyedInt } from '../contract/random.ts';
import type { Micros } from '../contract/time.ts';
import { unwatchAll } from '../presence/presence-board.ts';
import { type ClientFrame, CLOSE_CODE, type ErrorCode, type GoawayReason } from '../wire/frames.ts';
import { leaveHugeChats } from './huge-state.ts';
import { entryOf, type Gateway, type Out, type Session } from './session-state.ts';

/** Every way a session ends: by its peer, by a newer connection, by a limit, by the gateway's own shutdown. */

/** The connection is gone. Whoever waits for this session is told, and its lease is given up. */
export function endSession(gateway: Gateway, session: Session, _now: Micros, out: Out): void {
  gateway.sessions.delete(session.conn);
  gateway.readQueue.delete(session);
  unindex(gateway, session);
  leaveHugeChats(gateway, session);
  answerWaiters(session, out);
  unwatchAll(gateway, session, out);
  if (session.phase !== 'opening') out.push({ kind: 'release', entry: entryOf(gateway, session) });
  finishDrainWhenEmpty(gateway, out);
}

function unindex(gateway: Gateway, session: Session): void {
  const all = gateway.byUser.get(session.userId);
  if (all === undefined) return;
  const others = all.filter((other) => other !== session);
  if (others.length === 0) gateway.byUser.delete(session.userId);
  else gateway.byUser.set(session.userId, others);
}

function answerWaiters(session: Session, out: Out): void {
  const waiters = [...session.held, ...(session.proving?.waiters ?? [])];
  for (const view of session.chats.values()) waiters.push(...view.waiters);
  for (const { worker, pushId } of waiters)
    out.push({ kind: 'push-result', worker, pushId, outcome: 'no-session' });
}

/** Closes the connection from our side. */
export function closeSession(
  gateway: Gateway,
  session: Session,
  code: number,
  reason: string,
  now: Micros,
  out: Out,
): void {
  out.push({ kind: 'disconnect', conn: session.conn, code, reason });
  endSession(gateway, session, now, out);
}

/** A newer connection of the device exists: this one goes, and must not come back by itself. */
export function replaceSession(gateway: Gateway, session: Session, now: Micros, out: Out): void {
  sendGoaway(gateway, session.conn, 'replaced', out);
  closeSession(
    gateway,
    session,
    CLOSE_CODE.replaced,
    'a newer connection of this device took over',
    now,
    out,
  );
}

export function goAway(
  gateway: Gateway,
  session: Session,
  reason: GoawayReason,
  code: number,
  why: string,
  now: Micros,
  out: Out,
): void {
  sendGoaway(gateway, session.conn, reason, out);
  closeSession(gateway, session, code, why, now, out);
}

/** A session that cannot be served now. */
export function refuseSession(
  gateway: Gateway,
  session: Session,
  code: ErrorCode,
  message: string,
  out: Out,
): void {
  closeWithError(session.conn, code, message, CLOSE_CODE.unavailable, out);
  endSession(gateway, session, session.openedAt, out);
}

export function closeWithError(
  conn: ConnId,
  code: ErrorCode,
  message: string,
  closeCode: number,
  out: Out,
  retryAfterMs?: number,
): void {
  sendError(conn, code, message, out, { retryAfterMs });
  out.push({ kind: 'disconnect', conn, code: closeCode, reason: message });
}

export function sendError(
  conn: ConnId,
  code: ErrorCode,
  message: string,
  out: Out,
  about?: {
    readonly retryAfterMs?: number | undefined;
    readonly clientMsgId?: ClientMsgId | undefined;
    readonly chatId?: ChatId | undefined;
    readonly refusedFrame?: ClientFrame['frame'] | undefined;
  },
): void {
  out.push({
    kind: 'frame',
    conn,
    frame: {
      frame: 'ERROR',
      code,
      message,
      retryAfterMs: about?.retryAfterMs,
      clientMsgId: about?.clientMsgId,
      chatId: about?.chatId,
      refusedFrame: about?.refusedFrame,
    },
  });
}

export function sendGoaway(gateway: Gateway, conn: ConnId, reason: GoawayReason, out: Out): void {
  // Spread, so that the devices of a draining gateway do not arrive at the others all at once.
  const range = Math.max(1, Math.floor(gateway.limits.drainSpread / 1000));
  const reconnectAfterMs = keyedInt(gateway.seed, hashText(gateway.nodeId), conn, range);
  out.push({ kind: 'frame', conn, frame: { frame: 'GOAWAY', reason, reconnectAfterMs } });
}

/** Another gateway says that it holds the device now. */
export function onEvict(
  gateway: Gateway,
  userId: UserId,
  deviceId: DeviceId,
  epoch: number,
  now: Micros,
  out: Out,
): void {
  for (const session of gateway.byUser.get(userId) ?? []) {
    if (session.deviceId === deviceId && session.epoch < epoch) replaceSession(gateway, session, now, out);
  }
}

// ---------------------------------------------------------------- shutdown

export function onDrain(gateway: Gateway, out: Out): void {
  if (gateway.draining) return;
  gateway.draining = true;
  for (const session of gateway.sessions.values()) sendGoaway(gateway, session.conn, 'drain', out);
  out.push({ kind: 'wake', timer: 'drain-end', conn: undefined, after: gateway.limits.drainTimeout });
  finishDrainWhenEmpty(gateway, out);
}

/** Whoever has not left by now is sent away. */
export function onDrainEnd(gateway: Gateway, now: Micros, out: Out): void {
  for (const session of gateway.sessions.values()) {
    closeSession(gateway, session, CLOSE_CODE.goingAway, 'this gateway is shutting down', now, out);
  }
}

function finishDrainWhenEmpty(gateway: Gateway, out: Out): void {
  if (gateway.draining && gateway.sessions.size === 0) out.push({ kind: 'drained' });
}
