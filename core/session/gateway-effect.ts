import type { ChatId, ConnId, DeviceId, NodeId, UserId } from '../contract/ids.ts';
import type { SessionEntry } from '../contract/records.ts';
import type { CountReceiptsRequest } from '../contract/store.ts';
import type { ServerFrame } from '../wire/frames.ts';
import type { GatewayTimer } from './gateway-event.ts';
import type { PushOutcome } from './push.ts';
import type { ServiceRequest } from './service-call.ts';

/**
 * What a gateway asks of its shell. Frames to one `conn` go out in order, before a later `disconnect` of it. Store and
 * registry calls may be carried out in any order and in batches; each answers once, with the event named here.
 */
export type GatewayEffect =
  | { readonly kind: 'frame'; readonly conn: ConnId; readonly frame: ServerFrame }
  /** Close after the frames before it; a `closed` event for this conn may follow and is ignored. */
  | { readonly kind: 'disconnect'; readonly conn: ConnId; readonly code: number; readonly reason: string }
  /** -> `device-opened` */
  | {
      readonly kind: 'open-device';
      readonly conn: ConnId;
      readonly userId: UserId;
      readonly deviceId: DeviceId;
    }
  /** Every shard knows the device. No answer: one that is lost is said again by a later session. */
  | { readonly kind: 'confirm-device'; readonly userId: UserId; readonly deviceId: DeviceId }
  /** -> `claimed`. */
  | { readonly kind: 'claim'; readonly conn: ConnId; readonly entry: SessionEntry; readonly ttl: number }
  /** -> `renewed`, one outcome per entry. */
  | {
      readonly kind: 'renew';
      readonly conns: readonly ConnId[];
      readonly entries: readonly SessionEntry[];
      readonly ttl: number;
    }
  /** No answer; a lost release expires. */
  | { readonly kind: 'release'; readonly entry: SessionEntry }
  /** Tell another gateway to let go of a device; best effort. */
  | {
      readonly kind: 'evict';
      readonly gatewayId: NodeId;
      readonly userId: UserId;
      readonly deviceId: DeviceId;
      readonly epoch: number;
    }
  /** -> `chats` */
  | {
      readonly kind: 'list-chats';
      readonly conn: ConnId;
      readonly userId: UserId;
      readonly deviceId: DeviceId;
    }
  /** -> `fetched` */
  | {
      readonly kind: 'fetch';
      readonly conn: ConnId;
      readonly call: number;
      readonly userId: UserId;
      readonly chatId: ChatId;
      readonly afterSeq: number;
      readonly limit: number;
      readonly bytes: number;
    }
  /** -> `heads` */
  | { readonly kind: 'read-heads'; readonly chatIds: readonly ChatId[] }
  /** -> `counted` */
  | { readonly kind: 'count-receipts'; readonly conn: ConnId; readonly request: CountReceiptsRequest }
  /** To the message service of the chat; answers, if any, come as `reply`. Requests of one conn stay in order. */
  | { readonly kind: 'request'; readonly request: ServiceRequest }
  | {
      readonly kind: 'push-result';
      readonly worker: NodeId;
      readonly pushId: number;
      readonly outcome: PushOutcome;
    }
  /** -> `presence` */
  | { readonly kind: 'read-presence'; readonly users: readonly UserId[] }
  /** The full set of users whose hints this gateway wants changed by one. */
  | { readonly kind: 'watch'; readonly userId: UserId }
  | { readonly kind: 'unwatch'; readonly userId: UserId }
  /** One-shot; replaces a pending wake-up of the same timer and conn. */
  | {
      readonly kind: 'wake';
      readonly timer: GatewayTimer;
      readonly conn: ConnId | undefined;
      readonly after: number;
    }
  /** Every session is gone; the process may exit. */
  | { readonly kind: 'drained' };
