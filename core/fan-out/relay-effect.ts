import type { DeliveryEvent } from '../contract/records.ts';
import type { CountReceiptsRequest, ReadMembersRequest, ReadOutboxRequest } from '../contract/store.ts';
import type { RelayTimer } from './relay-event.ts';

/** What an outbox relay asks of its shell. */
export type RelayEffect =
  /** -> `outbox` */
  | { readonly kind: 'read-outbox'; readonly call: number; readonly request: ReadOutboxRequest }
  /** -> `members` */
  | { readonly kind: 'read-members'; readonly call: number; readonly request: ReadMembersRequest }
  /** -> `counted` */
  | { readonly kind: 'count-receipts'; readonly call: number; readonly request: CountReceiptsRequest }
  /** Durable in the queue before `published: ok`; order within one recipient is kept within the call. */
  | { readonly kind: 'publish'; readonly call: number; readonly events: readonly DeliveryEvent[] }
  /** -> `deleted`. Only rows whose events are all durable in the queue are ever named. */
  | { readonly kind: 'delete-outbox'; readonly call: number; readonly ids: readonly number[] }
  /** One-shot; replaces a pending wake-up of the same timer. */
  | { readonly kind: 'wake'; readonly timer: RelayTimer; readonly after: number };
