import { hasElapsed } from '../contract/elapsed.ts';
import type { Micros } from '../contract/time.ts';
import { CLOSE_CODE } from '../wire/frames.ts';
import { pump } from './replay.ts';
import { closeSession, closeWithError, endSession, goAway, sendError } from './session-end.ts';
import { takeUpRested } from './session-rest.ts';
import { resumeOpening } from './session-opening.ts';
import { type Gateway, type Out, type Session, wakeSession } from './session-state.ts';

/** What time does to a session: silence, a token that runs out, a RESUME that does not come, a socket that does not drain. */

export function onSessionTimer(gateway: Gateway, session: Session, now: Micros, out: Out): void {
  const { limits } = gateway;
  if (now >= session.expiresAt) {
    goAway(gateway, session, 'auth_expired', CLOSE_CODE.authExpired, 'the token has expired', now, out);
    return;
  }
  if (session.phase !== 'live') {
    onOpeningTimer(gateway, session, now, out);
    return;
  }
  const silence = session.polls ? limits.pollSilence : limits.silence;
  if (now >= session.heardAt && hasElapsed(session.heardAt, silence, now)) {
    closeSession(gateway, session, CLOSE_CODE.silent, 'nothing was heard from the device', now, out);
    return;
  }
  // A clock that went back must not keep a dead session alive.
  if (now < session.heardAt) session.heardAt = now;
  for (const [clientMsgId, at] of session.requests) {
    if (!hasElapsed(at, limits.requestTimeout, now)) break;
    session.requests.delete(clientMsgId);
  }
  wakeSession(session, limits.heartbeat, now, out);
}

/** A poll came, or was answered: the device is there. */
export function onPolled(session: Session, now: Micros): void {
  session.polls = true;
  session.heardAt = now;
}

/** Twice the time for RESUME: after the first half an ERROR, after the second the end. */
function onOpeningTimer(gateway: Gateway, session: Session, now: Micros, out: Out): void {
  const { resumeTimeout } = gateway.limits;
  if (session.phase === 'welcomed' && !hasElapsed(session.openedAt, resumeTimeout, now)) {
    wakeSession(session, resumeTimeout, now, out);
    return;
  }
  if (!session.scolded) {
    session.scolded = true;
    if (session.phase === 'welcomed')
      sendError(session.conn, 'bad_frame', 'frame: RESUME is expected after WELCOME', out);
    wakeSession(session, resumeTimeout, now, out);
    return;
  }
  if (session.phase === 'welcomed') {
    closeSession(gateway, session, CLOSE_CODE.noResume, 'no RESUME came', now, out);
    return;
  }
  closeWithError(
    session.conn,
    'unavailable',
    'the session could not be opened in time',
    CLOSE_CODE.unavailable,
    out,
  );
  endSession(gateway, session, now, out);
}

/** The retry timer of a session: the step, or the read, that failed is tried again. */
export function onSessionRetry(gateway: Gateway, session: Session, now: Micros, out: Out): void {
  session.retry.dueAt = undefined;
  takeUpRested(session, now, out);
  if (session.retrying) resumeOpening(gateway, session, out);
  else pump(gateway, session, out);
}

/** The peer takes its time: stop pushing at half of the buffer, give it up at the whole. */
export function onBuffered(gateway: Gateway, session: Session, bytes: number, now: Micros, out: Out): void {
  const limit = gateway.limits.socketBufferBytes;
  if (bytes > limit) {
    goAway(gateway, session, 'slow_consumer', CLOSE_CODE.slowConsumer, 'the device does not read', now, out);
    return;
  }
  session.congested = bytes > limit / 2;
  if (!session.congested) pump(gateway, session, out);
}
