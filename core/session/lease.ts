import type { DeviceId, UserId } from '../contract/ids.ts';
import type { SessionEntry } from '../contract/records.ts';
import type { Micros } from '../contract/time.ts';

/**
 * The session registry's rules, one pure function each: who holds a device, fenced by epoch. Redis runs the same rules as
 * Lua; the in-memory registry and the simulator's model run these. The registry may lose everything at any time: a
 * session that finds its entry gone writes it again and reads its chats' heads again, since pushes may have missed it.
 */

export interface LeaseKey {
  readonly userId: UserId;
  readonly deviceId: DeviceId;
}

/** An entry with the time, on the registry's own clock, at which it is no longer believed. */
export interface Lease extends SessionEntry {
  readonly expiresAt: Micros;
  /** A worker gave up pushing to this device: its session must read its chats' heads again. */
  readonly missed: boolean;
}

export type ClaimResult =
  /** `previous`: the live holder that this claim replaced, to be told to let go. */
  | { readonly outcome: 'held'; readonly previous: SessionEntry | undefined }
  /** A newer connection of the device has the lease. */
  | { readonly outcome: 'fenced'; readonly epoch: number }
  | { readonly outcome: 'failed' };

/** `recreated`: pushes may have missed the session, it must read its chats' heads again. */
export type RenewOutcome = 'renewed' | 'recreated' | 'fenced';

/** Whether an entry counts as gone, kept or not. @param memory how long an expired one is kept (`leaseMemory`). */
export function isForgotten(lease: Lease, memory: number, now: Micros): boolean {
  return lease.expiresAt + memory <= now;
}

function alive(lease: Lease | undefined, now: Micros): lease is Lease {
  return lease !== undefined && lease.expiresAt > now;
}

/** Decides a claim against the stored lease (also an expired one: it still fences older epochs while it is remembered). */
export function claimLease(
  stored: Lease | undefined,
  entry: SessionEntry,
  ttl: number,
  now: Micros,
): { readonly lease: Lease | undefined; readonly result: ClaimResult } {
  if (stored !== undefined && stored.epoch > entry.epoch) {
    return { lease: stored, result: { outcome: 'fenced', epoch: stored.epoch } };
  }
  const previous = alive(stored, now) && stored.epoch < entry.epoch ? stored : undefined;
  return {
    lease: { ...entry, expiresAt: (now + ttl) as Micros, missed: false },
    result: { outcome: 'held', previous },
  };
}

/** Extends a lease, or writes it anew when it was lost, had expired, or a push was given up. */
export function renewLease(
  stored: Lease | undefined,
  entry: SessionEntry,
  ttl: number,
  now: Micros,
): { readonly lease: Lease; readonly outcome: RenewOutcome } {
  if (stored !== undefined && stored.epoch > entry.epoch) return { lease: stored, outcome: 'fenced' };
  const intact = alive(stored, now) && stored.epoch === entry.epoch && !stored.missed;
  return {
    lease: { ...entry, expiresAt: (now + ttl) as Micros, missed: false },
    outcome: intact ? 'renewed' : 'recreated',
  };
}

/** Notes that a push to the device was given up; the next renewal reports it. */
export function markMissed(stored: Lease): Lease {
  return { ...stored, missed: true };
}

/** Gives a lease up; only its own epoch may. @returns whether the entry is to be removed. */
export function releaseLease(stored: Lease | undefined, epoch: number): boolean {
  return stored !== undefined && stored.epoch === epoch;
}

/** @returns the entries of a user's devices that are alive at `now`. */
export function liveEntries(leases: Iterable<Lease>, now: Micros): SessionEntry[] {
  const found: SessionEntry[] = [];
  for (const lease of leases) if (alive(lease, now)) found.push(lease);
  return found;
}

/**
 * @returns the entries that a lookup at `now` passes over as expired. The registry marks them missed: a push that should
 * have found one has not, and if its holder is alive after all (the registry's clock stepped) its next renewal must say so.
 */
export function overlookedEntries(leases: Iterable<Lease>, now: Micros): Lease[] {
  const found: Lease[] = [];
  for (const lease of leases) if (lease.expiresAt <= now && !lease.missed) found.push(lease);
  return found;
}
