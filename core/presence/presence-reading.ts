import type { UserId } from '../contract/ids.ts';
import type { Micros } from '../contract/time.ts';

/** What the registry knows of one user's presence: whether any device holds a live lease, and when the last one let go. */
export interface PresenceReading {
  readonly userId: UserId;
  readonly online: boolean;
  readonly lastSeen: Micros | undefined;
}
