import type { DeviceId, UserId } from '../../core/contract/ids.ts';
import type { SessionEntry } from '../../core/contract/records.ts';
import type { Micros } from '../../core/contract/time.ts';
import type { PresenceReading } from '../../core/presence/presence-reading.ts';
import {
  type ClaimResult,
  claimLease,
  isForgotten,
  type Lease,
  type LeaseKey,
  liveEntries,
  markMissed,
  overlookedEntries,
  type RenewOutcome,
  releaseLease,
  renewLease,
} from '../../core/session/lease.ts';

const NOBODY: ReadonlyMap<DeviceId, Lease> = new Map();

/** One write, so that a failover can lose it. */
interface Write {
  readonly at: number;
  readonly userId: UserId;
  /** Undefined: nothing was written but when the user was last seen. */
  readonly deviceId: DeviceId | undefined;
  readonly lease: Lease | undefined;
  readonly lastSeen: Micros | undefined;
}

/**
 * The session registry: the rules of core/session/lease.ts over maps. It may be told to remember what was written lately,
 * to lose it again; and it can be copied, as an old primary that goes on answering.
 */
export class SessionRegistryModel {
  readonly #leases = new Map<UserId, Map<DeviceId, Lease>>();
  readonly #lastSeen = new Map<UserId, Micros>();
  #journal: Write[] | undefined;

  /** @param now the registry's own clock, here and below. @param at true time, for `loseSince`. */
  claim(entry: SessionEntry, ttl: number, now: Micros, at: number): ClaimResult {
    const stored = this.#remembered(entry, now);
    const { lease, result } = claimLease(stored, entry, ttl, now);
    if (lease !== undefined && lease !== stored) this.#put(lease, lease, at);
    return result;
  }

  renew(entry: SessionEntry, ttl: number, now: Micros, at: number): RenewOutcome {
    const { lease, outcome } = renewLease(this.#remembered(entry, now), entry, ttl, now);
    if (outcome !== 'fenced') this.#put(entry, lease, at);
    return outcome;
  }

  /** The epoch that the registry holds of a device; undefined when it remembers none. */
  epochOf(key: LeaseKey, now: Micros): number | undefined {
    return this.#remembered(key, now)?.epoch;
  }

  /** @returns whether the entry was there. */
  release(entry: SessionEntry, now: Micros, at: number): boolean {
    if (!releaseLease(this.#remembered(entry, now), entry.epoch)) return false;
    this.#put(entry, undefined, at);
    this.#lastSeen.set(entry.userId, now);
    return true;
  }

  markMissed(keys: readonly LeaseKey[], at: number): void {
    for (const key of keys) {
      const stored = this.#get(key);
      if (stored !== undefined) this.#put(key, markMissed(stored), at);
    }
  }

  sessions(userId: UserId, now: Micros, at: number): readonly SessionEntry[] {
    const leases = this.#leases.get(userId);
    if (leases === undefined) return [];
    for (const lease of overlookedEntries(leases.values(), now)) this.#put(lease, markMissed(lease), at);
    return liveEntries(leases.values(), now);
  }

  isOnline(userId: UserId, now: Micros): boolean {
    return liveEntries((this.#leases.get(userId) ?? NOBODY).values(), now).length > 0;
  }

  presence(userId: UserId, now: Micros): PresenceReading {
    let lastSeen = this.#lastSeen.get(userId);
    for (const lease of (this.#leases.get(userId) ?? NOBODY).values()) {
      if (lease.expiresAt > now) return { userId, online: true, lastSeen: undefined };
      if (lastSeen === undefined || lastSeen < lease.expiresAt) lastSeen = lease.expiresAt;
    }
    return { userId, online: false, lastSeen };
  }

  /** Everybody of whom anything is known. */
  users(): readonly UserId[] {
    return [...new Set([...this.#leases.keys(), ...this.#lastSeen.keys()])];
  }

  /** Everything about one user vanishes: an eviction. A replica that has not heard of it brings it back. */
  evict(userId: UserId, at: number): void {
    if (this.#journal !== undefined) {
      const lastSeen = this.#lastSeen.get(userId);
      this.#journal.push({ at, userId, deviceId: undefined, lease: undefined, lastSeen });
      for (const [deviceId, lease] of this.#leases.get(userId) ?? NOBODY)
        this.#journal.push({ at, userId, deviceId, lease, lastSeen });
    }
    this.#leases.delete(userId);
    this.#lastSeen.delete(userId);
  }

  loseEverything(at: number): void {
    for (const userId of this.users()) this.evict(userId, at);
  }

  /** From now on `loseSince` works. */
  keepJournal(): void {
    this.#journal ??= [];
  }

  /** Undoes every write after true time `at`. @returns how many there were. */
  loseSince(at: number): number {
    let lost = 0;
    for (
      let write = this.#journal?.at(-1);
      write !== undefined && write.at > at;
      write = this.#journal?.at(-1)
    ) {
      this.#journal?.pop();
      this.#restore(write);
      lost++;
    }
    return lost;
  }

  copy(): SessionRegistryModel {
    const copy = new SessionRegistryModel();
    for (const [userId, leases] of this.#leases) copy.#leases.set(userId, new Map(leases));
    for (const [userId, seen] of this.#lastSeen) copy.#lastSeen.set(userId, seen);
    return copy;
  }

  #get(key: LeaseKey): Lease | undefined {
    return this.#leases.get(key.userId)?.get(key.deviceId);
  }

  #remembered(key: LeaseKey, now: Micros): Lease | undefined {
    const lease = this.#get(key);
    return lease !== undefined && isForgotten(lease, now) ? undefined : lease;
  }

  #put(key: LeaseKey, lease: Lease | undefined, at: number): void {
    const { userId, deviceId } = key;
    if (this.#journal !== undefined) {
      this.#journal.push({
        at,
        userId,
        deviceId,
        lease: this.#get(key),
        lastSeen: this.#lastSeen.get(userId),
      });
    }
    this.#set(userId, deviceId, lease);
  }

  #set(userId: UserId, deviceId: DeviceId, lease: Lease | undefined): void {
    let leases = this.#leases.get(userId);
    if (leases === undefined) {
      leases = new Map();
      this.#leases.set(userId, leases);
    }
    if (lease === undefined) leases.delete(deviceId);
    else leases.set(deviceId, lease);
  }

  #restore(write: Write): void {
    if (write.deviceId !== undefined) this.#set(write.userId, write.deviceId, write.lease);
    if (write.lastSeen === undefined) this.#lastSeen.delete(write.userId);
    else this.#lastSeen.set(write.userId, write.lastSeen);
  }
}
