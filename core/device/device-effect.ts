import type { ChatId, ClientMsgId, ConnId, MediaId, ServerMsgId } from '../contract/ids.ts';
import type { StoredMessage } from '../contract/records.ts';
import type { Micros } from '../contract/time.ts';
import type {
  ClientFrame,
  ErrorCode,
  PresenceFrame,
  ReceiptCountFrame,
  ReceiptDownFrame,
  TypingDownFrame,
} from '../wire/frames.ts';
import type { DeviceTimer } from './device-event.ts';
import type { Transport } from './transport.ts';

export interface OutboxItem {
  /** The server's final refusal: the item is not sent again, it only waits until the application has been told. */
  readonly failed?: { readonly code: ErrorCode; readonly message: string };
  readonly clientMsgId: ClientMsgId;
  readonly chatId: ChatId;
  readonly ciphertext: string;
  readonly mediaIds: readonly MediaId[];
}

/** A message as a device shows it. */
export type ShownMessage = Omit<StoredMessage, 'clientMsgId'>;

/**
 * What a device asks of its shell, in order. `outbox-put`, `outbox-drop`, `cursor` and `show` are durable on the device
 * before any later effect of the same step; `show` stores the message and moves the chat's cursor to its seq in one
 * transaction, which is what makes "exactly once" hold across a restart of the app.
 */
export type DeviceEffect =
  /** Open a connection; answers `connected`, `refused` or `closed` with the same `conn`. */
  | { readonly kind: 'connect'; readonly conn: ConnId; readonly transport: Transport }
  | { readonly kind: 'disconnect'; readonly conn: ConnId; readonly code: number }
  | { readonly kind: 'frame'; readonly conn: ConnId; readonly frame: ClientFrame }
  /** One-shot; replaces a pending wake-up of the same timer. */
  | { readonly kind: 'wake'; readonly timer: DeviceTimer; readonly after: number }
  | { readonly kind: 'outbox-put'; readonly item: OutboxItem }
  | { readonly kind: 'outbox-drop'; readonly clientMsgId: ClientMsgId }
  | { readonly kind: 'cursor'; readonly chatId: ChatId; readonly seq: number }
  | { readonly kind: 'show'; readonly message: ShownMessage }
  /** The send is durable on the server. */
  | {
      readonly kind: 'sent';
      readonly clientMsgId: ClientMsgId;
      readonly chatId: ChatId;
      readonly serverMsgId: ServerMsgId;
      readonly seq: number;
    }
  /** The send was refused for good, and is out of the outbox. */
  | {
      readonly kind: 'send-failed';
      readonly clientMsgId: ClientMsgId;
      readonly chatId: ChatId;
      readonly code: ErrorCode;
      readonly message: string;
    }
  | { readonly kind: 'receipt'; readonly receipt: ReceiptDownFrame }
  /** How far an own message in a large chat has come: never less than what was told before. */
  | { readonly kind: 'receipt-count'; readonly count: ReceiptCountFrame }
  | { readonly kind: 'presence'; readonly presence: PresenceFrame }
  | { readonly kind: 'typing'; readonly typing: TypingDownFrame }
  /** The replay after a connect is complete. */
  | { readonly kind: 'synced' }
  | { readonly kind: 'status'; readonly status: DeviceStatus; readonly at: Micros };

export type DeviceStatus =
  | 'offline'
  | 'connecting'
  | 'resuming'
  | 'live'
  | 'replaced'
  | 'unauthenticated'
  | 'stopped';
