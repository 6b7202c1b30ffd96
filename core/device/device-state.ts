import type { ChatId, ClientMsgId, ConnId, DeviceId, ServerMsgId, UserId } from '../contract/ids.ts';
import type { Limits } from '../contract/limits.ts';
import type { Micros } from '../contract/time.ts';
import type { ReceiptCountFrame } from '../wire/frames.ts';
import type { DeviceEffect, DeviceStatus, OutboxItem, ShownMessage } from './device-effect.ts';
import type { Path } from './transport.ts';

/** The client's half of the protocol: sends until acknowledged, shows each chat in order and once. */
export interface Device {
  readonly userId: UserId;
  readonly deviceId: DeviceId;
  readonly limits: Limits;
  readonly seed: number;
  readonly link: Link;
  readonly path: Path;
  readonly outbox: Outbox;
  readonly chats: Map<ChatId, Inbox>;
  /** Chats with a DELIVERED receipt to send. */
  unreceipted: Inbox[];
  /** Messages that those receipts stand for. */
  unreceiptedCount: number;
  receiptArmed: boolean;
  readonly reads: Reads;
  /** When the next look at holes is due; undefined while there are none. */
  gapDue: Micros | undefined;
  /** On screen; told to each new connection again. */
  readonly open: Set<ChatId>;
  /** Frames but SENDs that were refused for their rate on this connection, to be said again when the timer comes. */
  readonly refused: Map<string, Refused>;
}

/**
 * The connection. `stage`:
 * - `stopped`: nobody wants a connection. `waiting`: the reconnect timer runs.
 * - `connecting`: waits for the socket, then for WELCOME. `resuming`: waits for SYNCED. `live`: all flows.
 *
 * *Invariant:* `conn` is defined in `connecting`, `resuming` and `live`. Whatever comes from another conn is ignored.
 */
export interface Link {
  stage: 'stopped' | 'waiting' | 'connecting' | 'resuming' | 'live';
  status: DeviceStatus;
  conn: ConnId | undefined;
  nextConn: number;
  /** Attempts since the last SYNCED; sets the backoff. */
  failures: number;
  /** The server asked to wait at least this long before the next attempt; 0 when it did not. */
  retryAfter: number;
  /** Times in a row that another connection of this device took over. */
  replacements: number;
  /** Times in a row that the server ended a session for abuse before it had lasted; sets the backoff too. */
  offences: number;
  heardAt: Micros;
  /** What the last PING carried. */
  pingedAt: Micros | undefined;
  heartbeat: number;
}

export interface Refused {
  readonly frame: 'RECEIPT' | 'OPEN' | 'CLOSE';
  readonly chatId: ChatId;
}

export interface Outbox {
  /** In the order they were given. *Invariant:* at most `deviceOutbox`. */
  readonly waiting: Map<ClientMsgId, Outgoing>;
  /** Sent on the current connection and not answered, in chats that are not stalled. *Invariant:* at most `deviceSendWindow`. */
  inFlight: number;
  /**
   * Chats that leave a send without an answer for longer than a retry takes, each with its probe: the one send of it that
   * is under way. The others of the chat wait for its answer, and the window is free for chats that do answer.
   */
  readonly stalled: Map<ChatId, Outgoing>;
  armed: boolean;
  /** The server asked to wait: until then nothing is sent. */
  paused: Pause | undefined;
}

/** Until `span` microseconds after `since`. */
export interface Pause {
  readonly since: Micros;
  readonly span: number;
}

export interface Outgoing {
  readonly item: OutboxItem;
  /** Undefined: to be sent as soon as the window allows. */
  sentAt: Micros | undefined;
  /** How long after `sentAt` it is sent again. */
  retryAfter: number;
  attempts: number;
}

/** One chat. *Invariant:* everything visible up to `cursor` is shown, nothing above it. */
export interface Inbox {
  readonly chatId: ChatId;
  cursor: number;
  /** What arrived before its predecessor, by the seq of that predecessor. */
  readonly ahead: Map<number, Ahead>;
  /** Highest seq that arrived ahead of a hole and could not be kept: SYNC must bring it. */
  dropped: number;
  /** When the hole was found, or asked for; the next SYNC goes a patience later. */
  gapSince: Micros;
  /** SYNCs on this connection since the cursor last moved; sets the patience. */
  asks: number;
  /** Newest message that came as a MESSAGE frame and is shown, to be named in the next DELIVERED. */
  receipt: { readonly serverMsgId: ServerMsgId; readonly seq: number } | undefined;
  /** Newest shown message of somebody else: what READ names. */
  lastOther: ServerMsgId | undefined;
  /** The counts of the newest own messages of a large chat, by seq; undefined in all others. */
  counts: Map<number, ReceiptCountFrame> | undefined;
  /** Counts up to this seq were shown once and are forgotten. */
  countsForgotten: number;
  /** The last READ. */
  read: Read | undefined;
  /** The latest connection whose WELCOME named this chat. */
  listed: ConnId | undefined;
}

/** See reads.ts. `settled`: said often enough, and kept so that the same is not said anew. */
export interface Read {
  readonly serverMsgId: ServerMsgId;
  /** The connection that carried it last: lost with it, perhaps. */
  conn: ConnId | undefined;
  stage: 'said' | 'repeated' | 'settled';
}

export interface Reads {
  /** Chats whose READ is to be said again on this connection, a page at a time. */
  due: Inbox[];
  /** Chats whose READ was, since the last PONG. */
  repeated: Inbox[];
}

export interface Ahead {
  readonly message: ShownMessage;
  /** Came as a MESSAGE frame (the gateway waits for its receipt), not as the ACK of an own send. */
  readonly pushed: boolean;
}

export type Out = DeviceEffect[];

export function newInbox(chatId: ChatId, cursor: number, lastOther: ServerMsgId | undefined): Inbox {
  return {
    chatId,
    cursor,
    ahead: new Map(),
    dropped: 0,
    gapSince: 0 as Micros,
    asks: 0,
    receipt: undefined,
    lastOther,
    counts: undefined,
    countsForgotten: 0,
    read: undefined,
    listed: undefined,
  };
}

/** @returns whether frames other than RESUME may be sent. */
export function isUp(link: Link): boolean {
  return link.stage === 'live' || link.stage === 'resuming';
}
