import type { ChatId, ClientMsgId, DeviceId, MediaId, NodeId, ServerMsgId, UserId } from '../contract/ids.ts';
import type { ReceiptType } from '../contract/records.ts';
import type { Micros } from '../contract/time.ts';

/**
 * The frames of protocol version 1 as the machines see them: times are microseconds here and RFC 3339 on the wire
 * (client-codec.ts and server-codec.ts translate). Optional fields of the wire are `| undefined` here, so that every frame has one shape.
 */

// ---------------------------------------------------------------- device -> gateway

export interface SendFrame {
  readonly frame: 'SEND';
  readonly clientMsgId: ClientMsgId;
  readonly chatId: ChatId;
  readonly ciphertext: string;
  readonly mediaIds: readonly MediaId[];
}
export interface ReceiptUpFrame {
  readonly frame: 'RECEIPT';
  readonly chatId: ChatId;
  readonly serverMsgId: ServerMsgId;
  readonly type: ReceiptType;
}
/** The device's last-seen seq per chat; a chat it does not name starts from its stored cursor. */
export interface ResumeFrame {
  readonly frame: 'RESUME';
  readonly cursors: readonly (readonly [ChatId, number])[];
}
export interface OpenFrame {
  readonly frame: 'OPEN';
  readonly chatId: ChatId;
}
export interface CloseFrame {
  readonly frame: 'CLOSE';
  readonly chatId: ChatId;
}
export interface TypingUpFrame {
  readonly frame: 'TYPING';
  readonly chatId: ChatId;
}
export interface SyncFrame {
  readonly frame: 'SYNC';
  readonly chatId: ChatId;
  readonly afterSeq: number;
  readonly limit: number;
}
export interface PingFrame {
  readonly frame: 'PING';
  readonly t: number;
}
export interface PongFrame {
  readonly frame: 'PONG';
  readonly t: number;
}
export type ClientFrame =
  | SendFrame
  | ReceiptUpFrame
  | ResumeFrame
  | OpenFrame
  | CloseFrame
  | TypingUpFrame
  | SyncFrame
  | PingFrame
  | PongFrame;

// ---------------------------------------------------------------- gateway -> device

export interface WelcomeChat {
  readonly chatId: ChatId;
  readonly head: number;
  /** Where the replay starts unless RESUME says otherwise: the device's stored cursor. */
  readonly cursor: number;
}
export interface WelcomeFrame {
  readonly frame: 'WELCOME';
  readonly deviceId: DeviceId;
  readonly gatewayId: NodeId;
  readonly region: string;
  readonly sessionEpoch: number;
  readonly heartbeatMs: number;
  readonly maxInFlight: number;
  readonly chats: readonly WelcomeChat[];
}
export interface SyncedFrame {
  readonly frame: 'SYNCED';
  readonly heads: readonly (readonly [ChatId, number])[];
}
export interface AckFrame {
  readonly frame: 'ACK';
  readonly clientMsgId: ClientMsgId;
  readonly chatId: ChatId;
  readonly serverMsgId: ServerMsgId;
  readonly seq: number;
  /** As the others are told it. A server that does not say it is believed to have taken the message just now. */
  readonly sentAt: Micros | undefined;
  readonly duplicate: boolean;
}
export interface MessageFrame {
  readonly frame: 'MESSAGE';
  readonly serverMsgId: ServerMsgId;
  readonly chatId: ChatId;
  readonly seq: number;
  /**
   * The seq before this one that this user may see (0: none). It is `seq - 1` but for a member who joined late or came
   * back, and tells that device where the sequence goes on without a hole. On the wire only when it is not `seq - 1`.
   */
  readonly prev: number;
  readonly from: UserId;
  readonly fromDevice: DeviceId;
  /** Only to the sending device, when it reads its own message back: lets it settle its outbox. */
  readonly clientMsgId: ClientMsgId | undefined;
  readonly ciphertext: string;
  readonly mediaIds: readonly MediaId[];
  readonly sentAt: Micros;
}
export interface ReceiptDownFrame {
  readonly frame: 'RECEIPT';
  readonly chatId: ChatId;
  readonly serverMsgId: ServerMsgId;
  readonly seq: number;
  readonly userId: UserId;
  readonly type: ReceiptType;
  readonly at: Micros;
}
/** How many have a message of a large chat; to its sender only. */
export interface ReceiptCountFrame {
  readonly frame: 'RECEIPT';
  readonly chatId: ChatId;
  readonly serverMsgId: ServerMsgId;
  readonly seq: number;
  readonly userId?: undefined;
  /** READ when somebody has read it. */
  readonly type: ReceiptType;
  readonly deliveredCount: number;
  readonly readCount: number;
  readonly at: Micros;
}
export interface PresenceFrame {
  readonly frame: 'PRESENCE';
  readonly userId: UserId;
  readonly status: PresenceStatus;
  readonly lastSeen: Micros | undefined;
}
export type PresenceStatus = 'ONLINE' | 'OFFLINE';
export interface TypingDownFrame {
  readonly frame: 'TYPING';
  readonly chatId: ChatId;
  readonly from: UserId;
}
export interface SyncEndFrame {
  readonly frame: 'SYNC_END';
  readonly chatId: ChatId;
  readonly head: number;
}
export interface ErrorFrame {
  readonly frame: 'ERROR';
  readonly code: ErrorCode;
  /** For people: names the field and says what to do. */
  readonly message: string;
  readonly retryAfterMs: number | undefined;
  readonly clientMsgId: ClientMsgId | undefined;
  readonly chatId: ChatId | undefined;
  /** Name of the frame that was refused, where it may be said again: `rate_limited`, and SYNC. */
  readonly refusedFrame?: ClientFrame['frame'] | undefined;
}
export type GoawayReason = 'drain' | 'replaced' | 'slow_consumer' | 'auth_expired';
export interface GoawayFrame {
  readonly frame: 'GOAWAY';
  readonly reason: GoawayReason;
  readonly reconnectAfterMs: number;
}
export type ServerFrame =
  | WelcomeFrame
  | SyncedFrame
  | AckFrame
  | MessageFrame
  | ReceiptDownFrame
  | ReceiptCountFrame
  | PresenceFrame
  | TypingDownFrame
  | SyncEndFrame
  | PingFrame
  | PongFrame
  | ErrorFrame
  | GoawayFrame;

// ---------------------------------------------------------------- errors and closes

/** The closed list of error codes; the value says whether the same request can succeed later. */
export const ERROR_RETRYABLE = {
  bad_frame: false,
  unauthenticated: false,
  not_a_member: false,
  forbidden: false,
  no_such_chat: false,
  too_large: false,
  rate_limited: true,
  idempotency_conflict: false,
  overloaded: true,
  unavailable: true,
  internal: true,
} as const;
export type ErrorCode = keyof typeof ERROR_RETRYABLE;

/** WebSocket close codes (RFC 6455 section 7.4; 4000 and above are Parley's own). */
export const CLOSE_CODE = {
  normal: 1000,
  goingAway: 1001,
  binaryFrame: 1003,
  tooBig: 1009,
  internal: 1011,
  replaced: 4001,
  noResume: 4002,
  slowConsumer: 4003,
  silent: 4004,
  authExpired: 4005,
  unavailable: 4006,
  abuse: 4008,
} as const;
