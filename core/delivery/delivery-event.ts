import type { UserId } from '../contract/ids.ts';
import type { DeliveryEvent, SessionEntry } from '../contract/records.ts';
import type { PushOutcome } from '../session/push.ts';

export interface QueueRecord {
  /** Position in the partition; ascending, holes are normal. */
  readonly offset: number;
  readonly event: DeliveryEvent;
}

export interface UserSessions {
  readonly userId: UserId;
  readonly sessions: readonly SessionEntry[];
}

/** What a delivery worker is told. */
export type DeliveryWorkerEvent =
  /** The group gave this worker the partition; records from `offset` on follow. `generation` names the assignment. */
  | {
      readonly kind: 'assigned';
      readonly partition: number;
      readonly generation: number;
      readonly offset: number;
    }
  /** The partition is (or will be) another worker's; work in flight may end, its commits are void. */
  | { readonly kind: 'revoked'; readonly partition: number }
  | {
      readonly kind: 'records';
      readonly partition: number;
      readonly generation: number;
      readonly records: readonly QueueRecord[];
    }
  /** Answer of `lookup`, in the order asked; undefined for a user, or for all, where the registry did not answer. */
  | {
      readonly kind: 'sessions';
      readonly call: number;
      readonly users: readonly (UserSessions | undefined)[] | undefined;
    }
  /** `unreachable`: the gateway could not be asked, or the answer did not come. */
  | { readonly kind: 'pushed'; readonly pushId: number; readonly outcome: PushOutcome | 'unreachable' }
  /** Answer of `mark-missed`. */
  | { readonly kind: 'marked'; readonly call: number; readonly ok: boolean }
  | { readonly kind: 'wake'; readonly timer: DeliveryTimer };

export type DeliveryTimer = 'retry';
