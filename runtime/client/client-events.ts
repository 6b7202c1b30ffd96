import type { ChatId, ClientMsgId, DeviceId, MediaId, ServerMsgId, UserId } from '../../core/contract/ids.ts';
import type { ReceiptType } from '../../core/contract/records.ts';
import type { DeviceStatus } from '../../core/device/device-effect.ts';
import type { ErrorCode } from '../../core/wire/frames.ts';

/** A message as a client shows it: once, in the order of its chat. */
export interface ReceivedMessage {
  readonly chatId: ChatId;
  readonly seq: number;
  readonly serverMsgId: ServerMsgId;
  readonly from: UserId;
  readonly fromDevice: DeviceId;
  /** Sent by this user, on this or another device. */
  readonly own: boolean;
  readonly mediaIds: readonly MediaId[];
  readonly sentAt: Date;
  readonly bytes: Uint8Array;
  /** The bytes as UTF-8. */
  text(): string;
}

/** What a client announces, by event name. */
export interface ClientEvents {
  readonly message: ReceivedMessage;
  /** Durable on the server. */
  readonly sent: {
    readonly clientMsgId: ClientMsgId;
    readonly chatId: ChatId;
    readonly serverMsgId: ServerMsgId;
    readonly seq: number;
  };
  readonly 'send-failed': {
    readonly clientMsgId: ClientMsgId;
    readonly chatId: ChatId;
    readonly code: ErrorCode;
    readonly message: string;
  };
  /** `userId` has everything up to `seq` (DELIVERED), or has read it (READ). */
  readonly receipt: {
    readonly chatId: ChatId;
    readonly seq: number;
    readonly serverMsgId: ServerMsgId;
    readonly userId: UserId;
    readonly type: ReceiptType;
    readonly at: Date;
  };
  readonly presence: {
    readonly userId: UserId;
    readonly online: boolean;
    readonly lastSeen: Date | undefined;
  };
  readonly typing: { readonly chatId: ChatId; readonly from: UserId };
  /** The replay after a connect is complete. */
  readonly synced: undefined;
  readonly status: DeviceStatus;
  /** The client cannot go on: its storage failed, or it has a defect. */
  readonly broken: unknown;
}
