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
import type { Limits } from '../contract/limits.ts';
import type { SessionEntry, Span } from '../contract/records.ts';
import type { Micros } from '../contract/time.ts';
import type { PresenceBoard } from '../presence/presence-board.ts';
import type { GatewayEffect } from './gateway-effect.ts';
import type { DueTimer } from './due-timer.ts';
import { armNoLater } from './due-timer.ts';
import type { HugeChats } from './huge-state.ts';
import { type GatewayRates, newSessionRates, type SessionRates } from './rates-state.ts';
import type { Rest } from './session-rest.ts';
import type { StoreLoss } from './store-loss.ts';
import { newWaitingReceipts, type WaitingReceipts } from './receipts-down.ts';

/** One gateway: the sessions it holds, and what they share. All of it may be lost: devices resend and resume. */
export interface Gateway {
  readonly nodeId: NodeId;
  readonly region: string;
  readonly limits: Limits;
  readonly seed: number;
  readonly sessions: Map<ConnId, Session>;
  /** A user's sessions here: one per device once an older one has been replaced. */
  readonly byUser: Map<UserId, Session[]>;
  nextCall: number;
  /** Store reads under way for sessions. *Invariant:* at most `gatewayFetches`. */
  reads: number;
  /** Sessions that wait for one of those reads, oldest first. */
  readonly readQueue: Set<Session>;
  readonly presence: PresenceBoard;
  readonly rates: GatewayRates;
  readonly huge: HugeChats;
  readonly store: StoreLoss;
  renewArmed: boolean;
  draining: boolean;
}

/**
 * One authenticated connection. `phase`:
 * - `opening`: the store hands out the epoch. `claiming`: the registry is told. `listing`: the chats are read. In this
 *   order, so that a message committed after the list was read finds the lease, and one committed before is in the list.
 * - `welcomed`: WELCOME is sent, RESUME is awaited. `live`: frames flow.
 */
export interface Session {
  readonly conn: ConnId;
  readonly userId: UserId;
  readonly deviceId: DeviceId;
  readonly expiresAt: Micros;
  phase: 'opening' | 'claiming' | 'listing' | 'welcomed' | 'live';
  epoch: number;
  openedAt: Micros;
  /** Last sign of life of the peer. */
  heardAt: Micros;
  /** Connected by long polling: it is silent between polls, for longer than a socket may be. */
  polls: boolean;
  /** Store or registry failures in a row while opening. */
  failures: number;
  /** The current step of the opening waits for the retry timer. */
  retrying: boolean;
  scolded: boolean;
  badFrames: number;
  readonly rates: SessionRates;
  readonly chats: Map<ChatId, ChatView>;
  /** MESSAGE frames not covered by a DELIVERED. *Invariant:* at most `inFlightMessages`, and `inFlightBytes` but for one. */
  inFlight: number;
  inFlightBytes: number;
  /** The socket's buffer is more than half full: nothing is pushed until it drains. */
  congested: boolean;
  /** Chats with something to fetch, in the order they will be. *Invariant:* none of them rests. */
  readonly behind: Set<ChatView>;
  readonly syncs: SyncRequest[];
  /** Chats of which something is remembered that SYNC brought, the one that was asked for last at the end. */
  readonly beside: Set<ChatView>;
  /** What could not be read, and when it will be tried again. */
  resting: Rest[];
  /** The store read under way: its call number and what for. *Invariant:* at most one. */
  reading:
    | {
        readonly call: number;
        readonly view: ChatView | undefined;
        readonly sync: SyncRequest | undefined;
      }
    | undefined;
  /** A renewal was not answered. It may have been carried out, and what it was told of missed pushes is lost. */
  unanswered: boolean;
  /** Renewals since the registry was first told, or told anew, of this session. */
  renewals: number;
  /** Every shard has given this device its cursors. */
  confirmed: boolean;
  /** The list of chats lacks those of shards that did not answer; it is read again until it does not. */
  incomplete: boolean;
  /** Such lists in a row, and the renewals until the next. */
  partLists: number;
  relistIn: number;
  /** Cursors that RESUME named for chats that may be among those. */
  awaited: Map<ChatId, number> | undefined;
  /** The heads must be read again: pushes may have been missed. */
  refresh: boolean;
  refreshing: boolean;
  /** They are not read before a pause is over, whoever asks. *Invariant:* `resting` has a list. */
  listRests: boolean;
  /** Lists in a row that failed since the session was opened. */
  listFailures: number;
  /** Told to go elsewhere, as this gateway has lost the store. */
  sentAway: boolean;
  /** SYNCED has been sent. */
  synced: boolean;
  /**
   * Receipts of others that wait: for SYNCED, for a socket that is full, and for the message they speak of, since a watermark
   * may be told by a service that has not heard yet that this user has left. One for each (chat, user, type).
   */
  readonly receipts: WaitingReceipts;
  /** Sends and other requests without an answer, and when each was passed on. */
  readonly requests: Map<ClientMsgId, Micros>;
  /** Chats on screen. */
  readonly open: Map<ChatId, OpenChat>;
  /**
   * Large chats whose receipts the store counts for it at the moment, and whether what is counted may be old by then. One
   * count of a group of 10,000 takes PostgreSQL half a second.
   */
  readonly counting: Map<ChatId, boolean>;
  /** Pushes held for a device that cannot take them now; answered when a PONG proves the connection alive. */
  held: Waiter[];
  /** Held pushes that the PING on its way will prove, and that PING's `t`. */
  proving: { readonly t: number; readonly waiters: readonly Waiter[] } | undefined;
  nextPing: number;
  readonly retry: DueTimer;
}

export interface OpenChat {
  /** The members watched for it. Empty until the message service has told them. */
  users: readonly UserId[];
  told: boolean;
  /** Nobody needs to ask how far the user's own messages in it have come. */
  counted: boolean;
  /** Presence timers since they were told. */
  age: number;
}

export interface SyncRequest {
  readonly chatId: ChatId;
  readonly afterSeq: number;
  readonly limit: number;
  /** Reads for it in a row that failed. */
  readonly failures: number;
}

/** A push that waits for its answer. */
export interface Waiter {
  readonly worker: NodeId;
  readonly pushId: number;
  readonly seq: number;
}

/**
 * One chat as one session has sent it.
 * *Invariant:* acked <= tip <= pushed; every visible seq up to `pushed` was sent on this connection, or was covered by
 * the cursor it resumed from, or is the device's own and was told by its ACK.
 */
export interface ChatView {
  readonly chatId: ChatId;
  pushed: number;
  /** The last visible seq up to `pushed`: what the next message names as `prev`. */
  tip: number;
  /** Current members, when last heard of; 0: not known. */
  size: number;
  /** Highest seq known to exist; above `pushed` there is something to fetch. */
  head: number;
  /** Reads of it in a row that brought nothing; while there are any, SYNCED neither waits for it nor names it. */
  failures: number;
  rests: boolean;
  /** The device's cursor, by its own word. */
  acked: number;
  /** Stored cursor and visibility as listed. */
  spans: readonly Span[];
  flight: InFlight[];
  /** Sent in answers to SYNC, above `acked`; the newest `syncPage` of them, and few of all chats. A receipt may name one of these. */
  beside: Pick<InFlight, 'seq' | 'serverMsgId'>[];
  waiters: Waiter[];
  /** Own seqs above `pushed` that the device knows from their ACK. */
  own: Set<number>;
  /** The newest message covered by a receipt: what READ usually names. */
  last: { readonly serverMsgId: ServerMsgId; readonly seq: number } | undefined;
}

export interface InFlight {
  readonly seq: number;
  readonly serverMsgId: ServerMsgId;
  readonly bytes: number;
}

export type Out = GatewayEffect[];

/** What a MESSAGE frame costs beyond its ciphertext and media, roughly. */
const FRAME_OVERHEAD = 256;

export function frameCost(ciphertext: string, mediaIds: readonly MediaId[]): number {
  return FRAME_OVERHEAD + ciphertext.length + mediaIds.length * 24;
}

export function newSession(options: {
  readonly conn: ConnId;
  readonly userId: UserId;
  readonly deviceId: DeviceId;
  readonly expiresAt: Micros;
  readonly now: Micros;
}): Session {
  return {
    conn: options.conn,
    userId: options.userId,
    deviceId: options.deviceId,
    expiresAt: options.expiresAt,
    phase: 'opening',
    epoch: 0,
    openedAt: options.now,
    heardAt: options.now,
    polls: false,
    failures: 0,
    retrying: false,
    scolded: false,
    badFrames: 0,
    rates: newSessionRates(),
    chats: new Map(),
    inFlight: 0,
    inFlightBytes: 0,
    congested: false,
    behind: new Set(),
    syncs: [],
    beside: new Set(),
    resting: [],
    reading: undefined,
    unanswered: false,
    renewals: 0,
    confirmed: false,
    incomplete: false,
    partLists: 0,
    relistIn: 0,
    awaited: undefined,
    refresh: false,
    refreshing: false,
    listRests: false,
    listFailures: 0,
    sentAway: false,
    synced: false,
    receipts: newWaitingReceipts(),
    requests: new Map(),
    open: new Map(),
    counting: new Map(),
    held: [],
    proving: undefined,
    nextPing: 1,
    retry: { dueAt: undefined },
  };
}

export function newChatView(chatId: ChatId, cursor: number, head: number, spans: readonly Span[]): ChatView {
  return {
    chatId,
    pushed: cursor,
    tip: cursor,
    size: 0,
    head,
    failures: 0,
    rests: false,
    acked: cursor,
    spans,
    flight: [],
    beside: [],
    waiters: [],
    own: new Set(),
    last: undefined,
  };
}

export function entryOf(gateway: Gateway, session: Session): SessionEntry {
  return {
    userId: session.userId,
    deviceId: session.deviceId,
    gatewayId: gateway.nodeId,
    epoch: session.epoch,
  };
}

export function windowOpen(gateway: Gateway, session: Session): boolean {
  return (
    session.inFlight < gateway.limits.inFlightMessages &&
    session.inFlightBytes < gateway.limits.inFlightBytes &&
    !session.congested
  );
}

/** Asks for the session's retry timer. */
export function armRetry(gateway: Gateway, session: Session, now: Micros, out: Out): void {
  armNoLater('retry', session.retry, gateway.limits.sessionRetry, now, out, session.conn);
}

/** Asks for the session's timer after this long, but no later than its token runs out. */
export function wakeSession(session: Session, after: number, now: Micros, out: Out): void {
  const left = Math.max(1, session.expiresAt - now);
  out.push({ kind: 'wake', timer: 'session', conn: session.conn, after: Math.min(after, left) });
}
