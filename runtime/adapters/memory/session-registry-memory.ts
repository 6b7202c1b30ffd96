import type { DeviceId, UserId } from '../../../core/contract/ids.ts';
import { DEFAULT_LIMITS } from '../../../core/contract/limits.ts';
import type { SessionEntry } from '../../../core/contract/records.ts';
import type { Micros } from '../../../core/contract/time.ts';
import {
  claimLease,
  isForgotten,
  liveEntries,
  markMissed,
  overlookedEntries,
  releaseLease,
  renewLease,
  type Lease,
} from '../../../core/session/lease.ts';
import type { PresenceWatch, SessionRegistry } from '../../ports/session-registry.ts';

/** How often leases that ran out are looked for; presence of a device that died silently is late by this much. */
const SWEEP_MS = 1_000;
/** Users whose last-seen time is remembered; beyond it the oldest is forgotten. */
const LAST_SEEN_USERS = 100_000;

interface UserLeases {
  readonly devices: Map<DeviceId, Lease>;
  online: boolean;
}

/**
 * The session registry of one process: it lives and dies with the sessions that it names.
 * @param clock microseconds, the registry's own.
 */
export function createMemorySessionRegistry(clock: () => Micros): SessionRegistry {
  const users = new Map<UserId, UserLeases>();
  const lastSeen = new Map<UserId, Micros>();
  const watchers = new Map<UserId, Set<(userId: UserId) => void>>();

  function leasesOf(userId: UserId): UserLeases {
    let leases = users.get(userId);
    if (leases === undefined) users.set(userId, (leases = { devices: new Map(), online: false }));
    return leases;
  }

  /** Notices that a user came or went, and says so to whoever looks. */
  function settle(userId: UserId, leases: UserLeases, now: Micros): void {
    const online = liveEntries(leases.devices.values(), now).length > 0;
    if (leases.devices.size === 0) users.delete(userId);
    if (online === leases.online) return;
    leases.online = online;
    const hints = watchers.get(userId);
    if (hints !== undefined) for (const hint of hints) queueMicrotask(() => hint(userId));
  }

  /** The end of the last lease, given up or run out. */
  function lastSeenOf(userId: UserId): Micros | undefined {
    let seen = lastSeen.get(userId);
    for (const { expiresAt } of users.get(userId)?.devices.values() ?? [])
      if (seen === undefined || seen < expiresAt) seen = expiresAt;
    return seen;
  }

  function rememberLastSeen(userId: UserId, ended: Micros): void {
    const seen = lastSeen.get(userId);
    lastSeen.delete(userId);
    lastSeen.set(userId, seen !== undefined && seen > ended ? seen : ended);
    if (lastSeen.size <= LAST_SEEN_USERS) return;
    const [oldest] = lastSeen.keys();
    if (oldest !== undefined) lastSeen.delete(oldest);
  }

  function renewOne(entry: SessionEntry, ttl: number, now: Micros): ReturnType<typeof renewLease>['outcome'] {
    const leases = leasesOf(entry.userId);
    const { lease, outcome } = renewLease(leases.devices.get(entry.deviceId), entry, ttl, now);
    leases.devices.set(entry.deviceId, lease);
    settle(entry.userId, leases, now);
    return outcome;
  }

  function sweep(): void {
    const now = clock();
    for (const [userId, leases] of users) {
      for (const [deviceId, lease] of leases.devices) {
        if (!isForgotten(lease, DEFAULT_LIMITS.leaseMemory, now)) continue;
        leases.devices.delete(deviceId);
        rememberLastSeen(userId, lease.expiresAt);
      }
      settle(userId, leases, now);
    }
  }
  const sweeper = setInterval(sweep, SWEEP_MS);
  sweeper.unref();

  return {
    claim(entry, ttl, done) {
      const now = clock();
      const leases = leasesOf(entry.userId);
      const { lease, result } = claimLease(leases.devices.get(entry.deviceId), entry, ttl, now);
      if (lease !== undefined) leases.devices.set(entry.deviceId, lease);
      settle(entry.userId, leases, now);
      queueMicrotask(() => done(result));
    },
    renew(entries, ttl, done) {
      const now = clock();
      const outcomes = entries.map((entry) => renewOne(entry, ttl, now));
      queueMicrotask(() => done(outcomes));
    },
    release(entry) {
      const leases = users.get(entry.userId);
      if (leases === undefined || !releaseLease(leases.devices.get(entry.deviceId), entry.epoch)) return;
      const now = clock();
      leases.devices.delete(entry.deviceId);
      rememberLastSeen(entry.userId, now);
      settle(entry.userId, leases, now);
    },
    lookup(asked, done) {
      const now = clock();
      const found = asked.map((userId) => {
        const devices = users.get(userId)?.devices;
        if (devices === undefined) return { userId, sessions: [] };
        for (const lease of overlookedEntries(devices.values(), now)) {
          devices.set(lease.deviceId, markMissed(lease));
        }
        return { userId, sessions: liveEntries(devices.values(), now) };
      });
      queueMicrotask(() => done(found));
    },
    markMissed(keys, done) {
      for (const { userId, deviceId } of keys) {
        const devices = users.get(userId)?.devices;
        const lease = devices?.get(deviceId);
        if (lease !== undefined) devices?.set(deviceId, markMissed(lease));
      }
      queueMicrotask(() => done(true));
    },
    readPresence(asked, done) {
      const now = clock();
      const readings = asked.map((userId) => {
        const leases = users.get(userId)?.devices.values() ?? [];
        const online = liveEntries(leases, now).length > 0;
        return { userId, online, lastSeen: online ? undefined : lastSeenOf(userId) };
      });
      queueMicrotask(() => done(readings));
    },
    watchPresence: (onHint) => createWatch(watchers, onHint),
    // One process: there is no other server, and none that does not answer.
    onChanged: () => () => undefined,
    ping: () => Promise.resolve(),
    close: () => clearInterval(sweeper),
  };
}

type Watchers = Map<UserId, Set<(userId: UserId) => void>>;

function createWatch(watchers: Watchers, onHint: (userId: UserId) => void): PresenceWatch {
  const watched = new Set<UserId>();
  function unwatch(userId: UserId): void {
    watched.delete(userId);
    const hints = watchers.get(userId);
    hints?.delete(onHint);
    if (hints?.size === 0) watchers.delete(userId);
  }
  return {
    watch(userId) {
      watched.add(userId);
      let hints = watchers.get(userId);
      if (hints === undefined) watchers.set(userId, (hints = new Set()));
      hints.add(onHint);
    },
    unwatch,
    close() {
      for (const userId of watched) unwatch(userId);
    },
  };
}
