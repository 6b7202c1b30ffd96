import type { DeviceId, UserId } from '../../core/contract/ids.ts';
import { DEFAULT_LIMITS } from '../../core/contract/limits.ts';
import type { SessionEntry } from '../../core/contract/records.ts';
import type { Micros } from '../../core/contract/time.ts';
import type { UserSessions } from '../../core/delivery/delivery-event.ts';
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

const NO_ENTRIES: readonly SessionEntry[] = [];

/** The leases of one user, and what the last look-up found: far more is looked up than written. */
class UserLeases {
  readonly byDevice = new Map<DeviceId, Lease>();
  readonly #userId: UserId;
  #found: UserSessions | undefined;
  /** What was found holds at these times: from the look-up, since clocks are set back, until the next lease runs out. */
  #from = 0;
  #until = 0;

  constructor(userId: UserId) {
    this.#userId = userId;
  }

  /** @returns what the last look-up found; undefined when that may be different now. */
  found(now: Micros): UserSessions | undefined {
    return now >= this.#from && now < this.#until ? this.#found : undefined;
  }

  lookUp(now: Micros): UserSessions {
    this.#found = { userId: this.#userId, sessions: liveEntries(this.byDevice.values(), now) };
    this.#from = now;
    this.#until = Number.POSITIVE_INFINITY;
    for (const { expiresAt } of this.byDevice.values())
      if (expiresAt > now && expiresAt < this.#until) this.#until = expiresAt;
    return this.#found;
  }

  put(deviceId: DeviceId, lease: Lease | undefined): void {
    if (lease === undefined) this.byDevice.delete(deviceId);
    else this.byDevice.set(deviceId, lease);
    this.#until = 0;
  }

  copy(): UserLeases {
    const copy = new UserLeases(this.#userId);
    for (const [deviceId, lease] of this.byDevice) copy.byDevice.set(deviceId, lease);
    return copy;
  }
}

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
  readonly #leases = new Map<UserId, UserLeases>();
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

  lookUp(userId: UserId, now: Micros, at: number): UserSessions {
    const leases = this.#leases.get(userId);
    if (leases === undefined) return { userId, sessions: NO_ENTRIES };
    const found = leases.found(now);
    if (found !== undefined) return found;
    for (const lease of overlookedEntries(leases.byDevice.values(), now))
      this.#put(lease, markMissed(lease), at);
    return leases.lookUp(now);
  }

  isOnline(userId: UserId, now: Micros): boolean {
    return liveEntries(this.#leases.get(userId)?.byDevice.values() ?? [], now).length > 0;
  }

  presence(userId: UserId, now: Micros): PresenceReading {
    let lastSeen = this.#lastSeen.get(userId);
    for (const lease of this.#leases.get(userId)?.byDevice.values() ?? []) {
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
      for (const [deviceId, lease] of this.#leases.get(userId)?.byDevice ?? [])
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
    for (const [userId, leases] of this.#leases) copy.#leases.set(userId, leases.copy());
    for (const [userId, seen] of this.#lastSeen) copy.#lastSeen.set(userId, seen);
    return copy;
  }

  #get(key: LeaseKey): Lease | undefined {
    return this.#leases.get(key.userId)?.byDevice.get(key.deviceId);
  }

  #remembered(key: LeaseKey, now: Micros): Lease | undefined {
    const lease = this.#get(key);
    return lease !== undefined && isForgotten(lease, DEFAULT_LIMITS.leaseMemory, now) ? undefined : lease;
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
      leases = new UserLeases(userId);
      this.#leases.set(userId, leases);
    }
    leases.put(deviceId, lease);
  }

  #restore(write: Write): void {
    if (write.deviceId !== undefined) this.#set(write.userId, write.deviceId, write.lease);
    if (write.lastSeen === undefined) this.#lastSeen.delete(write.userId);
    else this.#lastSeen.set(write.userId, write.lastSeen);
  }
}
