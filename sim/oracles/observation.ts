import type {
  ChatId,
  ClientMsgId,
  ConnId,
  DeviceId,
  MediaId,
  NodeId,
  ServerMsgId,
  UserId,
} from '../../core/contract/ids.ts';
import type {
  ChatKind,
  Member,
  ReceiptRecord,
  ReceiptType,
  Role,
  StoredMessage,
} from '../../core/contract/records.ts';
import type { Micros } from '../../core/contract/time.ts';
import type { PresenceStatus } from '../../core/wire/frames.ts';
import type { PromiseName } from './oracle.ts';

/**
 * What an observer without any latency of its own sees. The simulator reports these as they happen; the demo, the
 * end-to-end tests and the chaos experiments report what they can see (devices and, afterwards, the store), and the same
 * oracles judge. `at` of the report is virtual time in microseconds, or real time since the start.
 */
export type Observation =
  // ---- the plan
  | { readonly kind: 'device'; readonly deviceId: DeviceId; readonly userId: UserId }
  // ---- what devices do and show
  | {
      readonly kind: 'send';
      readonly deviceId: DeviceId;
      readonly userId: UserId;
      readonly chatId: ChatId;
      readonly clientMsgId: ClientMsgId;
      readonly ciphertext: string;
    }
  | {
      readonly kind: 'acked';
      readonly deviceId: DeviceId;
      readonly clientMsgId: ClientMsgId;
      readonly chatId: ChatId;
      readonly serverMsgId: ServerMsgId;
      readonly seq: number;
    }
  | {
      readonly kind: 'send-failed';
      readonly deviceId: DeviceId;
      readonly clientMsgId: ClientMsgId;
      readonly chatId: ChatId;
      readonly code: string;
    }
  /** A device sends what it has reported as failed. */
  | {
      readonly kind: 'sent-again';
      readonly deviceId: DeviceId;
      readonly clientMsgId: ClientMsgId;
      readonly chatId: ChatId;
    }
  /** A device starts (again) from its disk; its chat goes on after `seq`. Start cursors given by WELCOME come the same way. */
  | {
      readonly kind: 'start-cursor';
      readonly deviceId: DeviceId;
      readonly chatId: ChatId;
      readonly seq: number;
    }
  | {
      readonly kind: 'shown';
      readonly deviceId: DeviceId;
      readonly userId: UserId;
      readonly chatId: ChatId;
      readonly seq: number;
      readonly serverMsgId: ServerMsgId;
      readonly from: UserId;
      readonly fromDevice: DeviceId;
      readonly ciphertext: string;
      readonly mediaIds: readonly MediaId[];
      readonly sentAt: Micros;
    }
  | {
      readonly kind: 'receipt-sent';
      readonly deviceId: DeviceId;
      readonly userId: UserId;
      readonly chatId: ChatId;
      readonly serverMsgId: ServerMsgId;
      readonly type: ReceiptType;
    }
  /** The user reads what the device shows of a chat. */
  | { readonly kind: 'read'; readonly deviceId: DeviceId; readonly chatId: ChatId }
  | { readonly kind: 'receipt-shown'; readonly deviceId: DeviceId; readonly receipt: ReceiptRecord }
  | {
      readonly kind: 'count-shown';
      readonly deviceId: DeviceId;
      readonly chatId: ChatId;
      readonly serverMsgId: ServerMsgId;
      readonly seq: number;
      readonly deliveredCount: number;
      readonly readCount: number;
    }
  | {
      readonly kind: 'presence-shown';
      readonly deviceId: DeviceId;
      readonly userId: UserId;
      readonly status: PresenceStatus;
    }
  /** The device opened or closed a chat while live (what it watches follows from the members). */
  | { readonly kind: 'watching'; readonly deviceId: DeviceId; readonly chatId: ChatId; readonly on: boolean }
  /** True state of a user: `live` devices have a session that answers. */
  | {
      readonly kind: 'device-live';
      readonly deviceId: DeviceId;
      readonly userId: UserId;
      readonly live: boolean;
    }
  /** A device hears that it sends too fast, and for how long it is to be silent (microseconds). */
  | { readonly kind: 'held-back'; readonly deviceId: DeviceId; readonly span: number }
  /** A device that was held back since it was started sends something. */
  | { readonly kind: 'sent-on'; readonly deviceId: DeviceId }
  /** A device says SYNC: it has the chat up to `afterSeq`, and something behind that is missing. */
  | {
      readonly kind: 'asked';
      readonly deviceId: DeviceId;
      readonly conn: ConnId;
      readonly chatId: ChatId;
      readonly afterSeq: number;
    }
  // ---- what services do
  /** A service reads a chat, and asks at once what became of this user's sends to it. */
  | {
      readonly kind: 'read-for';
      readonly serviceId: NodeId;
      readonly userId: UserId;
      readonly chatId: ChatId;
    }
  /** Whoever asked at `askedAt` that `userId` be in the chat with this role, or (undefined) out of it, is told that it is so. */
  | {
      readonly kind: 'change-confirmed';
      readonly chatId: ChatId;
      readonly userId: UserId;
      readonly role: Role | undefined;
      readonly askedAt: number;
    }
  // ---- what gateways send
  /** A SEND was passed on, or refused for its rate. */
  | {
      readonly kind: 'admitted' | 'refused';
      readonly gatewayId: NodeId;
      readonly conn: ConnId;
      readonly deviceId: DeviceId;
      readonly userId: UserId;
      readonly clientMsgId: ClientMsgId;
    }
  | {
      readonly kind: 'resumed';
      readonly gatewayId: NodeId;
      readonly conn: ConnId;
      readonly deviceId: DeviceId;
      readonly epoch: number;
      readonly cursors: readonly (readonly [ChatId, number])[];
    }
  | {
      readonly kind: 'pushed';
      readonly gatewayId: NodeId;
      readonly conn: ConnId;
      readonly deviceId: DeviceId;
      readonly userId: UserId;
      readonly chatId: ChatId;
      readonly seq: number;
      readonly prev: number;
    }
  /**
   * An answer of a poll session, as its device took it: it carries the frames behind number `after`, of which the device
   * had those up to `had`, and had said so up to `acked`. `heard`: what it was handed, by the place among all that the
   * session said. `said`: how much that was in all, when the device was told that the session is over.
   */
  | {
      readonly kind: 'poll-answered';
      readonly gatewayId: NodeId;
      readonly conn: ConnId;
      readonly deviceId: DeviceId;
      readonly acked: number;
      readonly after: number;
      readonly had: number;
      readonly heard: readonly number[];
      readonly said: number | undefined;
    }
  /** A session says something this long (microseconds of its gateway's clock) after its token ran out. */
  | {
      readonly kind: 'outlived';
      readonly gatewayId: NodeId;
      readonly conn: ConnId;
      readonly deviceId: DeviceId;
      readonly span: number;
    }
  /** A connection is told that a newer one of its device took over. */
  | { readonly kind: 'replaced'; readonly deviceId: DeviceId; readonly epoch: number }
  /** A session with this connection hears, while it is there, that a newer one of its device exists. */
  | {
      readonly kind: 'fenced';
      readonly gatewayId: NodeId;
      readonly conn: ConnId;
      readonly deviceId: DeviceId;
    }
  | {
      readonly kind: 'welcomed';
      readonly gatewayId: NodeId;
      readonly conn: ConnId;
      readonly deviceId: DeviceId;
    }
  /** A push names epoch `named`, and the gateway has only a session from before it; `taken`: not refused. */
  | {
      readonly kind: 'push-met-older';
      readonly gatewayId: NodeId;
      readonly deviceId: DeviceId;
      readonly named: number;
      readonly epoch: number;
      readonly taken: boolean;
    }
  // ---- the registry's entries
  /** Epoch `by` asked, and the entry that the registry holds of a device changed; undefined: it holds none. */
  | {
      readonly kind: 'lease';
      readonly deviceId: DeviceId;
      readonly by: number;
      readonly before: number | undefined;
      readonly after: number | undefined;
    }
  // ---- the store's truth, at commit
  /** A connection of the device got its epoch, which only rises. */
  | { readonly kind: 'device-opened'; readonly deviceId: DeviceId; readonly epoch: number }
  /** `by`: who asked for it. Undefined of those with whom the chat began, and where the store is read afterwards. */
  | {
      readonly kind: 'member';
      readonly chatId: ChatId;
      readonly chatKind: ChatKind;
      readonly member: Member;
      readonly head: number;
      readonly version: number;
      readonly by: UserId | undefined;
    }
  | { readonly kind: 'committed'; readonly message: StoredMessage }
  | {
      readonly kind: 'cursor-saved';
      readonly deviceId: DeviceId;
      readonly chatId: ChatId;
      readonly seq: number;
    }
  | { readonly kind: 'watermark-saved'; readonly receipt: ReceiptRecord }
  /** Retention took what a message says: from now on it may come empty. */
  | { readonly kind: 'content-dropped'; readonly chatId: ChatId; readonly seq: number }
  // ---- resources, sampled: `value` must stay at or below `limit`
  | {
      readonly kind: 'gauge';
      readonly node: NodeId;
      readonly name: string;
      readonly value: number;
      readonly limit: number;
    }
  // ---- phases
  /**
   * Faults under way that may delay what is promised, and those among them that do more than to hit a device or its network
   * (`behind`; missing: all of them); and all faults, when those that must not be felt are counted too.
   * `suspended`: what may take longer now (sim/faults/feasibility.ts).
   */
  | {
      readonly kind: 'fault';
      readonly active: number;
      readonly behind?: number;
      readonly unfeltToo?: number;
      readonly suspended?: readonly PromiseName[];
    }
  /**
   * All faults but permanent ones are over; from here the system must converge. `served`: devices that can be reached.
   * `heard`: the others of which a gateway still hears: they open sessions again and again, and get no further.
   */
  | { readonly kind: 'healed'; readonly served: readonly DeviceId[]; readonly heard: readonly DeviceId[] }
  /** Nothing is left to happen, or the budget of the liveness phase ran out (`quiet` false). */
  | { readonly kind: 'end'; readonly quiet: boolean };

/** An observation of one kind. */
export type Seen<Kind extends Observation['kind']> = Observation extends infer One
  ? One extends { readonly kind: infer Own }
    ? Kind extends Own
      ? One
      : never
    : never
  : never;
