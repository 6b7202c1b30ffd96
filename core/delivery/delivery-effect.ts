import type { NodeId, UserId } from '../contract/ids.ts';
import type { LeaseKey } from '../session/lease.ts';
import type { Push } from '../session/push.ts';
import type { DeliveryTimer } from './delivery-event.ts';

/** What a delivery worker asks of its shell. */
export type DeliveryWorkerEffect =
  /** -> `sessions`, one entry per user in the same order. */
  | { readonly kind: 'lookup'; readonly call: number; readonly users: readonly UserId[] }
  /** -> `pushed`. Pushes to one gateway stay in order. */
  | { readonly kind: 'push'; readonly gatewayId: NodeId; readonly push: Push }
  /** -> `marked`. Sets `missed` on the registry's entries of these devices, whatever their epoch; see session/lease.ts. */
  | { readonly kind: 'mark-missed'; readonly call: number; readonly keys: readonly LeaseKey[] }
  /** Everything below `offset` of the partition is finished. Void when the generation is no longer current. */
  | {
      readonly kind: 'commit';
      readonly partition: number;
      readonly generation: number;
      readonly offset: number;
    }
  /** Stop, or go on, handing out records of every partition. */
  | { readonly kind: 'pause' }
  | { readonly kind: 'resume' }
  /** One-shot; replaces a pending wake-up of the same timer. */
  | { readonly kind: 'wake'; readonly timer: DeliveryTimer; readonly after: number };
