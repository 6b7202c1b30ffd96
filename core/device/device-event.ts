import type { ChatId, ClientMsgId, ConnId, MediaId } from '../contract/ids.ts';
import type { ServerFrame } from '../wire/frames.ts';

export type DeviceTimer = 'connect' | 'reconnect' | 'heartbeat' | 'send' | 'gap' | 'receipt' | 'refused';

/** What a device machine is told: by its user, by its connection, by its timers. */
export type DeviceEvent =
  /** Connect, and stay connected until `stop`. */
  | { readonly kind: 'start' }
  | { readonly kind: 'stop' }
  | {
      readonly kind: 'send';
      readonly clientMsgId: ClientMsgId;
      readonly chatId: ChatId;
      readonly ciphertext: string;
      readonly mediaIds: readonly MediaId[];
    }
  /** The user has read everything shown in the chat. */
  | { readonly kind: 'read'; readonly chatId: ChatId }
  | { readonly kind: 'open'; readonly chatId: ChatId }
  | { readonly kind: 'close'; readonly chatId: ChatId }
  | { readonly kind: 'typing'; readonly chatId: ChatId }
  | { readonly kind: 'connected'; readonly conn: ConnId }
  /** `code` as in RFC 6455; 1006 when the connection just broke. */
  | { readonly kind: 'closed'; readonly conn: ConnId; readonly code: number }
  /** The request to connect was answered with this HTTP status; 401 ends the attempts until the next `start`. */
  | { readonly kind: 'refused'; readonly conn: ConnId; readonly status: number }
  | { readonly kind: 'frame'; readonly conn: ConnId; readonly frame: ServerFrame }
  | { readonly kind: 'wake'; readonly timer: DeviceTimer };
