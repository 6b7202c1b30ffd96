import type { Micros } from '../contract/time.ts';
import { sendGoaway } from './session-end.ts';
import type { Gateway, Out, Session } from './session-state.ts';

/**
 * A gateway that has lost its store. It still passes on what is sent and pushes what comes in time, and that is more than
 * nobody would do; but whoever waits here for something of the store waits for ever, while another gateway may have it.
 *
 * So a session is sent away when it needs the store, no read of this gateway has brought anything for `storePatience`, and
 * then its own list, which asks every shard, brings nothing either. The others stay: where the store is down for everybody
 * there is nowhere better to be, and a reconnect of all would be one more load for a store that comes back. Each is told
 * once, and leaves at a time of its own within `drainSpread`; the load balancer knows by then that this gateway is not ready.
 */
export interface StoreLoss {
  /** The first and the last of the reads in a row that failed; undefined when the last one did not. */
  since: Micros | undefined;
  at: Micros;
}

export function newStoreLoss(): StoreLoss {
  return { since: undefined, at: 0 as Micros };
}

/** Every read of the store tells how it ended. */
export function noteRead({ store, limits }: Gateway, answered: boolean, now: Micros): void {
  if (answered) {
    store.since = undefined;
    return;
  }
  // Two failures with nothing between them for long say little about that time, as do those before a clock was set back.
  const isOld = now - store.at > 2 * limits.storePatience || now < store.at;
  if (store.since === undefined || isOld) store.since = now;
  store.at = now;
}

function isLost({ store, limits }: Gateway, now: Micros): boolean {
  return store.since !== undefined && now - store.since >= limits.storePatience;
}

/** A read for this session failed: once the store seems to be lost, its list tells whether it is. The caller pumps reads. */
export function askWhetherLost(gateway: Gateway, session: Session, now: Micros): void {
  if (session.sentAway || session.phase !== 'live' || !isLost(gateway, now)) return;
  session.refresh = true;
  gateway.readQueue.add(session);
}

/** Its list failed. */
export function sendAwayIfLost(gateway: Gateway, session: Session, now: Micros, out: Out): void {
  if (session.sentAway || gateway.draining || !isLost(gateway, now)) return;
  session.sentAway = true;
  sendGoaway(gateway, session.conn, 'drain', out);
}
