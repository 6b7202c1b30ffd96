import type { Out, Session } from './session-state.ts';

/**
 * Proof that a connection is alive: a PING sent after a push came, and its PONG. Until then a push that the device cannot
 * take yet stays unanswered. One PING is under way at a time; what comes meanwhile waits for the next.
 */
export function prove(session: Session, out: Out): void {
  if (session.phase !== 'live' || session.proving !== undefined || session.held.length === 0) return;
  const t = session.nextPing++;
  session.proving = { t, waiters: session.held };
  session.held = [];
  out.push({ kind: 'frame', conn: session.conn, frame: { frame: 'PING', t } });
}

export function onPong(session: Session, t: number, out: Out): void {
  if (session.proving?.t !== t) return;
  const { waiters } = session.proving;
  session.proving = undefined;
  for (const { worker, pushId } of waiters)
    out.push({ kind: 'push-result', worker, pushId, outcome: 'settled' });
  prove(session, out);
}
