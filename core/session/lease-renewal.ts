import type { ConnId } from '../contract/ids.ts';
import { keyedInt } from '../contract/random.ts';
import type { SessionEntry } from '../contract/records.ts';
import type { Micros } from '../contract/time.ts';
import type { RenewOutcome } from './lease.ts';
import { pumpReads } from './replay.ts';
import { restList } from './session-rest.ts';
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
 *
 * What makes many sessions read again at once spreads them over one `leaseRenew`: 50,000 lists in a row would be in the way
 * of every session that opens. A list that lacks a silent shard is read again after one renewal, then after more and more of
 * them, since each also reads the shards that answer.
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
    if (isDue(gateway, session) || isPartDue(session)) {
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

function isPartDue(session: Session): boolean {
  if (!session.incomplete) return false;
  session.relistIn--;
  return session.relistIn <= 0;
}

const PART_STREAM = 0x70_6172_74;

/** A list came: whether it is whole, and if not, after how many renewals it is read again. */
export function noteCompleteness(gateway: Gateway, session: Session, complete: boolean): void {
  session.incomplete = !complete;
  session.partLists = complete ? 0 : session.partLists + 1;
  const { seed, limits } = gateway;
  const most = Math.max(1, Math.min(limits.relistRenewals, 2 ** Math.min(session.partLists - 1, 20)));
  session.relistIn = 1 + keyedInt(seed, PART_STREAM + session.partLists, session.conn, most);
}

/** Whatever the old primary knew of pushes that missed a session is lost: every session reads its heads, now and later. */
export function onRegistryChanged(gateway: Gateway, now: Micros, out: Out): void {
  const spread = isMany(gateway, gateway.sessions.size);
  for (const session of gateway.sessions.values()) {
    if (session.phase === 'opening' || session.phase === 'claiming') continue;
    readAgain(gateway, session, spread, now, out);
  }
  pumpReads(gateway, out);
}

/** More than can be read at once. */
function isMany({ limits }: Gateway, sessions: number): boolean {
  return sessions > limits.gatewayFetches;
}

const SPREAD_STREAM = 0x73_7072_64;

function readAgain(gateway: Gateway, session: Session, spread: boolean, now: Micros, out: Out): void {
  session.renewals = 0;
  // A session that is being opened has nothing to be read again, and its device waits.
  if (spread && session.phase !== 'listing') {
    const { limits, seed } = gateway;
    restList(gateway, session, 1 + keyedInt(seed, SPREAD_STREAM, session.conn, limits.leaseRenew), now, out);
    return;
  }
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
  const recreated = outcomes?.filter((outcome) => outcome === 'recreated').length ?? 0;
  const spread = isMany(gateway, recreated);
  conns.forEach((conn, i) => {
    const session = gateway.sessions.get(conn);
    if (session === undefined) return;
    const outcome = outcomes?.[i];
    if (outcome === 'fenced') replaceSession(gateway, session, now, out);
    else if (outcome === undefined) session.unanswered = true;
    else if (outcome === 'recreated' || session.unanswered) {
      // A timeout is no failure: the mark may have been told, and cleared, by the answer that did not come.
      session.unanswered = false;
      readAgain(gateway, session, spread, now, out);
    }
  });
  pumpReads(gateway, out);
}
