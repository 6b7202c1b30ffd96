import type { ConnId } from '../contract/ids.ts';
import { keyedInt } from '../contract/random.ts';
import type { SessionEntry } from '../contract/records.ts';
import type { Micros } from '../contract/time.ts';
import type { RenewOutcome } from './lease.ts';
import { pumpReads } from './replay.ts';
import { replaceSession } from './session-end.ts';
import { entryOf, type Gateway, type Out, type Session } from './session-state.ts';

/**
 * Leases are renewed in batches, all sessions once per `leaseRenew`; a lease that was lost is found by this, and only by
 * this.
 *
 * Some time after a session was registered its heads are read once more. A registry that failed over may answer from its
 * old primary until everybody has learned of the new one, and a look-up there does not find who registered with the new
 * one. The registry is configured to end that within `leaseTtl`: what was passed over until then is found by this reading.
 * And because the queue may lose an event for good, heads are read now and then without any reason (`headsReread`).
 */

export function armRenewal(gateway: Gateway, out: Out): void {
  if (gateway.renewArmed) return;
  gateway.renewArmed = true;
  out.push({ kind: 'wake', timer: 'renew', conn: undefined, after: gateway.limits.leaseRenew });
}

export function onRenewTimer(gateway: Gateway, out: Out): void {
  gateway.renewArmed = false;
  let conns: ConnId[] = [];
  let entries: SessionEntry[] = [];
  const ttl = gateway.limits.leaseTtl;
  for (const session of gateway.sessions.values()) {
    if (session.phase === 'opening' || session.phase === 'claiming') continue;
    session.renewals++;
    if (isDue(gateway, session) || session.incomplete) {
      session.refresh = true;
      gateway.readQueue.add(session);
    }
    conns.push(session.conn);
    entries.push(entryOf(gateway, session));
    if (conns.length < gateway.limits.renewBatch) continue;
    out.push({ kind: 'renew', conns, entries, ttl });
    conns = [];
    entries = [];
  }
  if (conns.length > 0) out.push({ kind: 'renew', conns, entries, ttl });
  if (gateway.sessions.size > 0) armRenewal(gateway, out);
  pumpReads(gateway, out);
}

const REREAD_STREAM = 0x72_6561_64;

/** Whether a session reads its heads with this renewal. Sessions that came at once differ in their periods, so as to spread. */
function isDue({ limits, seed }: Gateway, { renewals, conn }: Session): boolean {
  // The first renewal may come right after the registration.
  if (renewals === Math.ceil(limits.leaseTtl / limits.leaseRenew) + 1) return true;
  const every = Math.max(1, Math.ceil(limits.headsReread / limits.leaseRenew));
  return renewals % (every + keyedInt(seed, REREAD_STREAM, conn, every)) === 0;
}

/** Whatever the old primary knew of pushes that missed a session is lost: every session reads its heads, now and later. */
export function onRegistryChanged(gateway: Gateway, out: Out): void {
  for (const session of gateway.sessions.values()) {
    if (session.phase === 'opening' || session.phase === 'claiming') continue;
    readAgain(gateway, session);
  }
  pumpReads(gateway, out);
}

function readAgain(gateway: Gateway, session: Session): void {
  session.renewals = 0;
  session.refresh = true;
  gateway.readQueue.add(session);
}

export function onRenewed(
  gateway: Gateway,
  conns: readonly ConnId[],
  outcomes: readonly (RenewOutcome | undefined)[] | undefined,
  now: Micros,
  out: Out,
): void {
  conns.forEach((conn, i) => {
    const session = gateway.sessions.get(conn);
    if (session === undefined) return;
    const outcome = outcomes?.[i];
    if (outcome === 'fenced') replaceSession(gateway, session, now, out);
    else if (outcome === undefined) session.unanswered = true;
    else if (outcome === 'recreated' || session.unanswered) {
      // A timeout is no failure: the mark may have been told, and cleared, by the answer that did not come.
      session.unanswered = false;
      readAgain(gateway, session);
    }
  });
  pumpReads(gateway, out);
}
