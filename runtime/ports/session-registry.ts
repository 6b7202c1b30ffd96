import type { UserId } from '../../core/contract/ids.ts';
import type { SessionEntry } from '../../core/contract/records.ts';
import type { UserSessions } from '../../core/delivery/delivery-event.ts';
import type { PresenceReading } from '../../core/presence/presence-reading.ts';
import type { ClaimResult, LeaseKey, RenewOutcome } from '../../core/session/lease.ts';
import type { Done } from './message-store.ts';

/**
 * Where each device is connected, by the rules of core/session/lease.ts. It may lose everything at any time: a missing
 * entry means "offline", a stale one is fenced by its epoch. `ttl` is in microseconds.
 */
export interface SessionRegistry {
  claim(entry: SessionEntry, ttl: number, done: Done<ClaimResult>): void;
  /** Answers one outcome per entry, in order; undefined for an entry, or for all, where the registry did not answer. */
  renew(
    entries: readonly SessionEntry[],
    ttl: number,
    done: Done<readonly (RenewOutcome | undefined)[] | undefined>,
  ): void;
  release(entry: SessionEntry): void;
  /** Live sessions of each user, in the order asked; undefined for a user, or for all, where the registry did not answer. */
  lookup(users: readonly UserId[], done: Done<readonly (UserSessions | undefined)[] | undefined>): void;
  /** Notes that pushes to these devices were given up: their next renewal answers `recreated`. Answers whether it is noted. */
  markMissed(keys: readonly LeaseKey[], done: Done<boolean>): void;
  /** Users that are missing from the answer are unknown. */
  readPresence(users: readonly UserId[], done: Done<readonly PresenceReading[]>): void;
  /** @param onHint called when sessions of a watched user changed; hints may drop silently. */
  watchPresence(onHint: (userId: UserId) => void): PresenceWatch;
  /**
   * @param listener called when another server answers than before (a failover, a restart, slots that moved): what the
   * former one knew of pushes that were given up may be lost.
   * @returns a function that ends it.
   */
  onChanged(listener: () => void): () => void;
  /** Rejects when the registry cannot serve calls. */
  ping(): Promise<void>;
  close(): void;
}

/** The users that one gateway wants hints of. */
export interface PresenceWatch {
  watch(userId: UserId): void;
  unwatch(userId: UserId): void;
  close(): void;
}
