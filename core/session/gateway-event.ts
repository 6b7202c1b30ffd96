import type { ChatId, ClientMsgId, ConnId, DeviceId, UserId } from '../contract/ids.ts';
import type {
  CountReceiptsResult,
  FetchResult,
  ListChatsResult,
  OpenDeviceResult,
  ReadHeadsResult,
} from '../contract/store.ts';
import type { Micros } from '../contract/time.ts';
import type { PresenceReading } from '../presence/presence-reading.ts';
import type { ClientFrame } from '../wire/frames.ts';
import type { ClaimResult, RenewOutcome } from './lease.ts';
import type { Push } from './push.ts';
import type { ServiceReply } from './service-call.ts';

/** What a gateway is told. Completions repeat the `conn` (and `call`) of the effect that asked. */
export type GatewayEvent =
  /** A connection whose token has been verified. `expiresAt` is the token's, on this node's clock. */
  | {
      readonly kind: 'open';
      readonly conn: ConnId;
      readonly userId: UserId;
      readonly deviceId: DeviceId;
      readonly expiresAt: Micros;
      /** Opaque token of where it comes from, to limit how fast connections come from there; undefined: not limited. */
      readonly address?: string | undefined;
    }
  | { readonly kind: 'frame'; readonly conn: ConnId; readonly frame: ClientFrame }
  /** The codec refused a frame; `message` names the field. */
  | {
      readonly kind: 'bad-frame';
      readonly conn: ConnId;
      readonly message: string;
      readonly code: 'bad_frame' | 'too_large';
      /** Of a SEND that named it. */
      readonly clientMsgId?: ClientMsgId | undefined;
    }
  | { readonly kind: 'closed'; readonly conn: ConnId }
  /** The device asked for its frames, or has been given them: how a connection by long polling shows that it lives. */
  | { readonly kind: 'polled'; readonly conn: ConnId }
  /** Bytes written to this socket, or kept for its next poll, that the peer has not taken; reported whenever above half of `socketBufferBytes`, and
   * once when it has fallen below. */
  | { readonly kind: 'buffered'; readonly conn: ConnId; readonly bytes: number }
  | { readonly kind: 'device-opened'; readonly conn: ConnId; readonly result: OpenDeviceResult }
  | { readonly kind: 'claimed'; readonly conn: ConnId; readonly result: ClaimResult }
  /** Answers of one `renew`, in its order; undefined when the registry did not answer. */
  | {
      readonly kind: 'renewed';
      readonly conns: readonly ConnId[];
      /** One for each of `conns`; undefined for who was not answered. */
      readonly outcomes: readonly (RenewOutcome | undefined)[] | undefined;
    }
  | { readonly kind: 'chats'; readonly conn: ConnId; readonly result: ListChatsResult }
  | {
      readonly kind: 'fetched';
      readonly conn: ConnId;
      readonly call: number;
      readonly chatId: ChatId;
      readonly result: FetchResult;
    }
  /** Answer of `read-heads`. */
  | { readonly kind: 'heads'; readonly result: ReadHeadsResult }
  | {
      readonly kind: 'counted';
      readonly conn: ConnId;
      readonly chatId: ChatId;
      readonly result: CountReceiptsResult;
    }
  | { readonly kind: 'reply'; readonly reply: ServiceReply }
  | { readonly kind: 'push'; readonly push: Push }
  /** A newer connection of the device exists elsewhere. */
  | { readonly kind: 'evict'; readonly userId: UserId; readonly deviceId: DeviceId; readonly epoch: number }
  /** Answer of `read-presence`; users that are missing are unknown and stay as they were. */
  | { readonly kind: 'presence'; readonly readings: readonly PresenceReading[] }
  /**
   * The registry failed over, or may have: told once this node talks to the new primary. What was written to the old one
   * (leases, and the marks of pushes that were given up) may be lost.
   */
  | { readonly kind: 'registry-changed' }
  /** The registry hints that this user's sessions changed. Best effort. */
  | { readonly kind: 'presence-hint'; readonly userId: UserId }
  | { readonly kind: 'wake'; readonly timer: GatewayTimer; readonly conn: ConnId | undefined }
  /** Stop taking connections, send everybody elsewhere, end with `drained`. */
  | { readonly kind: 'drain' };

/** Timers of the gateway have no `conn`, timers of a session have one. */
export type GatewayTimer = 'renew' | 'presence' | 'heads' | 'drain-end' | 'session' | 'retry' | 'receipts';
