import { hasElapsed } from '../contract/elapsed.ts';
import type { Micros } from '../contract/time.ts';
import { armNoLater } from './due-timer.ts';
import type { ChatView, Gateway, Out, Session, SyncRequest } from './session-state.ts';

/**
 * What could not be read rests before it is tried again, each thing by itself: it may lie on a shard that is gone for long,
 * and what lies elsewhere waits for none of it.
 */
export type Rest = (
  | { readonly kind: 'view'; readonly view: ChatView }
  | { readonly kind: 'sync'; readonly sync: SyncRequest }
  | { readonly kind: 'list' }
) & { readonly since: Micros; readonly span: number };

/** @param failures in a row, this one included. @returns the pause before the next attempt. */
export function pauseAfter({ limits }: Gateway, failures: number): number {
  // 2^20 pauses are longer than any bound, and far from overflow.
  return Math.min(limits.sessionRetryMax, limits.sessionRetry * 2 ** Math.min(failures - 1, 20));
}

/** A chat's read brought nothing: it is out of the line until its pause is over. */
export function restView(gateway: Gateway, session: Session, view: ChatView, now: Micros, out: Out): void {
  view.failures++;
  session.behind.delete(view);
  setAside(
    gateway,
    session,
    { kind: 'view', view, since: now, span: pauseAfter(gateway, view.failures) },
    out,
  );
}

export function restSync(gateway: Gateway, session: Session, sync: SyncRequest, now: Micros, out: Out): void {
  const failures = sync.failures + 1;
  const span = pauseAfter(gateway, failures);
  setAside(gateway, session, { kind: 'sync', sync: { ...sync, failures }, since: now, span }, out);
}

/** The list of chats is read again in `span`, and not before, whatever else asks for it. */
export function restList(gateway: Gateway, session: Session, span: number, now: Micros, out: Out): void {
  if (session.listRests) return;
  session.listRests = true;
  setAside(gateway, session, { kind: 'list', since: now, span }, out);
}

function setAside(gateway: Gateway, session: Session, rest: Rest, out: Out): void {
  if (rest.kind === 'view') rest.view.rests = true;
  session.resting.push(rest);
  armNoLater('retry', session.retry, rest.span, rest.since, out, session.conn);
}

/** Puts what has rested long enough back in its line, and comes again for the others. */
export function takeUpRested(session: Session, now: Micros, out: Out): void {
  if (session.resting.length === 0) return;
  let nearest: number | undefined;
  const resting: Rest[] = [];
  for (const rest of session.resting) {
    if (hasElapsed(rest.since, rest.span, now)) takeUp(session, rest);
    else {
      resting.push(rest);
      nearest = Math.min(nearest ?? rest.span, rest.since + rest.span - now);
    }
  }
  session.resting = resting;
  if (nearest !== undefined) armNoLater('retry', session.retry, nearest, now, out, session.conn);
}

function takeUp(session: Session, rest: Rest): void {
  if (rest.kind === 'list') {
    session.listRests = false;
    session.refresh = true;
  } else if (rest.kind === 'sync') session.syncs.push(rest.sync);
  else {
    rest.view.rests = false;
    if (rest.view.head > rest.view.pushed) session.behind.add(rest.view);
  }
}

/** SYNC requests that have no answer yet. */
export function openSyncs(session: Session): number {
  let waiting = session.syncs.length + (session.reading?.sync === undefined ? 0 : 1);
  for (const { kind } of session.resting) if (kind === 'sync') waiting++;
  return waiting;
}
