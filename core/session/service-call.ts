import type {
  ChatId,
  ClientMsgId,
  ConnId,
  DeviceId,
  MediaId,
  NodeId,
  ServerMsgId,
  UserId,
} from '../contract/ids.ts';
import type { ChatKind, ReceiptType, Role } from '../contract/records.ts';
import type { Micros } from '../contract/time.ts';
import type { ErrorCode } from '../wire/frames.ts';

/**
 * What gateways and the HTTP API ask of the message service, and its answers. A request may be lost, and so may its
 * answer; every one of them may be repeated.
 */

/** Where an answer goes: a session of a gateway, or a call of the HTTP API (`conn` is then the call's number). */
export interface ReplyTo {
  readonly node: NodeId;
  readonly conn: ConnId;
}

export type ServiceRequest =
  | SubmitRequest
  | ReceiptRequest
  | { readonly kind: 'typing'; readonly replyTo: ReplyTo; readonly userId: UserId; readonly chatId: ChatId }
  /** Who is in the chat, for presence; answered only to a member. With more than `presenceMembers` others: nobody. */
  | { readonly kind: 'members'; readonly replyTo: ReplyTo; readonly userId: UserId; readonly chatId: ChatId }
  | {
      readonly kind: 'create-chat';
      readonly replyTo: ReplyTo;
      readonly userId: UserId;
      readonly chatKind: ChatKind;
      readonly members: readonly UserId[];
    }
  | {
      readonly kind: 'set-member';
      readonly replyTo: ReplyTo;
      readonly userId: UserId;
      readonly chatId: ChatId;
      readonly member: UserId;
      readonly role: Exclude<Role, 'owner'>;
    }
  | {
      readonly kind: 'remove-member';
      readonly replyTo: ReplyTo;
      readonly userId: UserId;
      readonly chatId: ChatId;
      readonly member: UserId;
    };

export interface SubmitRequest {
  readonly kind: 'submit';
  readonly replyTo: ReplyTo;
  readonly userId: UserId;
  readonly deviceId: DeviceId;
  readonly chatId: ChatId;
  readonly clientMsgId: ClientMsgId;
  readonly ciphertext: string;
  readonly mediaIds: readonly MediaId[];
}
export interface ReceiptRequest {
  readonly kind: 'receipt';
  readonly userId: UserId;
  readonly deviceId: DeviceId;
  readonly chatId: ChatId;
  /** One of the two is known: the session pushed that message, or the store finds the other half. */
  readonly serverMsgId: ServerMsgId | undefined;
  readonly seq: number | undefined;
  readonly type: ReceiptType;
  readonly at: Micros;
}

export type ServiceReply =
  | {
      readonly kind: 'ack';
      readonly conn: ConnId;
      readonly clientMsgId: ClientMsgId;
      readonly chatId: ChatId;
      readonly serverMsgId: ServerMsgId;
      readonly seq: number;
      readonly sentAt: Micros;
      readonly duplicate: boolean;
    }
  | {
      readonly kind: 'refused';
      readonly conn: ConnId;
      readonly code: ErrorCode;
      readonly message: string;
      readonly retryAfterMs: number | undefined;
      readonly clientMsgId: ClientMsgId | undefined;
      readonly chatId: ChatId | undefined;
    }
  | {
      readonly kind: 'members';
      readonly conn: ConnId;
      readonly chatId: ChatId;
      readonly users: readonly UserId[];
    }
  | {
      readonly kind: 'chat-created';
      readonly conn: ConnId;
      readonly chatId: ChatId;
      readonly created: boolean;
    }
  | { readonly kind: 'member-changed'; readonly conn: ConnId; readonly chatId: ChatId };
