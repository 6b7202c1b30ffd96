import { assert } from '../contract/assert.ts';
import type { ChatId, ConnId } from '../contract/ids.ts';
import type { DeliveryMessage, StoredMessage } from '../contract/records.ts';
import type { FetchResult } from '../contract/store.ts';
import type { Micros } from '../contract/time.ts';
import { canSee, prevVisible, visibleHead } from '../sequencing/membership.ts';
import { noteSize } from './huge-state.ts';
import { restSync, restView } from './session-rest.ts';
import { askWhetherLost, noteRead } from './store-loss.ts';
import { tellReceipts } from './receipts-down.ts';
import {
  type ChatView,
  frameCost,
  type Gateway,
  type Out,
  type Session,
  type SyncRequest,
  windowOpen,
} from './session-state.ts';

/**
 * Bringing a device up to date from the store, a page at a time, as far as its in-flight window allows. Live messages
 * that arrive meanwhile only raise `head`: they are fetched in their turn, so order needs no buffer and a slow device
 * holds no memory.
 */

/** Notes whether a chat has something to fetch; one that rests comes back by itself. */
export function markBehind(session: Session, view: ChatView): void {
  if (view.head > view.pushed && !view.rests) session.behind.add(view);
  else session.behind.delete(view);
}

/** Does what can be done now for a session: its next read, or SYNCED when the replay is complete. */
export function pump(gateway: Gateway, session: Session, out: Out): void {
  if (wantsRead(gateway, session)) {
    gateway.readQueue.add(session);
    pumpReads(gateway, out);
  }
  if (session.phase !== 'live') return;
  if (!session.synced) {
    if (firstFresh(session) !== undefined || session.reading?.view?.failures === 0) return;
    saySynced(session, out);
  }
  tellReceipts(gateway, session, out);
}

/** A chat that cannot be read now is none of its heads, as if its shard had not been listed: it follows when it can be. */
function saySynced(session: Session, out: Out): void {
  session.synced = true;
  const heads: (readonly [ChatId, number])[] = [];
  for (const { chatId, tip, failures } of session.chats.values())
    if (failures === 0) heads.push([chatId, tip]);
  out.push({ kind: 'frame', conn: session.conn, frame: { frame: 'SYNCED', heads } });
}

function wantsRead(gateway: Gateway, session: Session): boolean {
  if (mayList(session)) return true;
  if (session.phase !== 'live' || session.reading !== undefined) return false;
  return (
    (session.syncs.length > 0 && !session.congested) ||
    (session.behind.size > 0 && windowOpen(gateway, session))
  );
}

function mayList({ refresh, refreshing, listRests }: Session): boolean {
  return refresh && !refreshing && !listRests;
}

/** Hands free reads of the store to the sessions that wait, in turn: a mass reconnect queues here, not in the store. */
export function pumpReads(gateway: Gateway, out: Out): void {
  for (const session of gateway.readQueue) {
    if (gateway.reads >= gateway.limits.gatewayFetches) return;
    gateway.readQueue.delete(session);
    if (!wantsRead(gateway, session)) continue;
    gateway.reads++;
    if (mayList(session)) {
      session.refresh = false;
      session.refreshing = true;
      const { conn, userId, deviceId } = session;
      out.push({ kind: 'list-chats', conn, userId, deviceId });
    } else startRead(gateway, session, out);
  }
}

function startRead(gateway: Gateway, session: Session, out: Out): void {
  const { limits } = gateway;
  const sync = session.syncs.shift();
  const view = sync === undefined ? (firstFresh(session) ?? firstOf(session.behind)) : undefined;
  const call = gateway.nextCall++;
  const limit = sync === undefined ? replayPage(limits, session) : sync.limit;
  session.reading = { call, view, sync };
  const { conn, userId } = session;
  const from = sync ?? (view === undefined ? undefined : { chatId: view.chatId, afterSeq: view.pushed });
  assert(from !== undefined, 'a read was started for nothing');
  const room = sync === undefined ? limits.inFlightBytes - session.inFlightBytes : limits.inFlightBytes;
  const bytes = Math.max(1, Math.min(limits.fetchBytes, room));
  const { chatId, afterSeq } = from;
  out.push({ kind: 'fetch', conn, call, userId, chatId, afterSeq, limit, bytes });
}

function replayPage(limits: Gateway['limits'], session: Session): number {
  return Math.max(1, Math.min(limits.fetchPage, limits.inFlightMessages - session.inFlight));
}

/** What has failed before comes after the rest: its read may take as long as the store's patience does, once more. */
function firstFresh({ behind }: Session): ChatView | undefined {
  for (const view of behind) if (view.failures === 0) return view;
  return undefined;
}

function firstOf(views: ReadonlySet<ChatView>): ChatView | undefined {
  for (const view of views) return view;
  return undefined;
}

export function onFetched(
  gateway: Gateway,
  conn: ConnId,
  call: number,
  result: FetchResult,
  now: Micros,
  out: Out,
): void {
  noteRead(gateway, result.outcome === 'ok', now);
  gateway.reads--;
  const session = gateway.sessions.get(conn);
  if (session !== undefined && session.reading?.call === call) {
    const { view, sync } = session.reading;
    session.reading = undefined;
    if (result.outcome === 'failed') {
      if (sync !== undefined) restSync(gateway, session, sync, now, out);
      if (view !== undefined) restView(gateway, session, view, now, out);
      askWhetherLost(gateway, session, now);
    } else if (view !== undefined) takeReplay(gateway, session, view, result, now, out);
    else if (sync !== undefined) answerSync(gateway, session, sync, result, out);
    pump(gateway, session, out);
  }
  pumpReads(gateway, out);
}

type Fetched = Extract<FetchResult, { outcome: 'ok' }>;

function takeReplay(
  gateway: Gateway,
  session: Session,
  view: ChatView,
  result: Fetched,
  now: Micros,
  out: Out,
): void {
  view.spans = result.spans;
  noteSize(gateway, session, view, result.size, now, out);
  session.behind.delete(view);
  let complete = true;
  let covered = view.pushed;
  for (const message of result.messages) {
    if (message.seq > view.pushed && canSee(result.spans, message.seq)) {
      const prev = prevVisible(result.spans, message.seq);
      if (view.own.delete(message.seq) && prev === message.seq - 1) advance(view, message.seq);
      else if (windowOpen(gateway, session)) sendMessage(session, view, message, prev, out);
      else {
        complete = false;
        break;
      }
    }
    covered = message.seq;
  }
  // A page that is not full covers everything up to the head; a full one says nothing about what follows it.
  if (complete && !result.more) covered = Math.max(covered, result.head);
  if (covered > view.pushed) view.pushed = covered;
  absorbOwn(view);
  if (view.head <= view.pushed) {
    view.failures = 0;
    return;
  }
  // To the end of the line, so that one long chat does not hold up the others.
  if (!complete || result.messages.length > 0) {
    view.failures = 0;
    session.behind.add(view);
  } else restView(gateway, session, view, now, out);
}

export function advance(view: ChatView, seq: number): void {
  view.pushed = seq;
  view.tip = seq;
}

/**
 * Own messages that the device knows from their ACK need no push: the sequence goes on behind them. Unless seqs before
 * them are not for this user: an ACK names no predecessor, so that one is sent, with `prev`, like anybody's message.
 */
export function absorbOwn(view: ChatView): void {
  if (view.own.size === 0) return;
  while (goesOnAt(view, view.pushed + 1) && view.own.delete(view.pushed + 1)) advance(view, view.pushed + 1);
  for (const seq of view.own) if (seq <= view.pushed) view.own.delete(seq);
}

function goesOnAt(view: ChatView, seq: number): boolean {
  return view.tip === view.pushed && seq === view.pushed + 1;
}

/** An ACK told the device of its message. @param reading a read is under way that may bring it too, and looks into `own`. */
export function noteOwn(view: ChatView, seq: number, reading: boolean): void {
  if (!reading && view.own.size === 0 && goesOnAt(view, seq)) {
    advance(view, seq);
    return;
  }
  view.own.add(seq);
  if (!reading) absorbOwn(view);
}

/** Sends a message that is next in its chat. */
export function sendMessage(
  session: Session,
  view: ChatView,
  message: DeliveryMessage | StoredMessage,
  prev: number,
  out: Out,
): void {
  const ciphertext = message.ciphertext ?? '';
  const bytes = frameCost(ciphertext, message.mediaIds);
  advance(view, message.seq);
  if (message.seq > view.head) view.head = message.seq;
  view.flight.push({ seq: message.seq, serverMsgId: message.serverMsgId, bytes });
  session.inFlight++;
  session.inFlightBytes += bytes;
  out.push({ kind: 'frame', conn: session.conn, frame: messageFrame(session, message, ciphertext, prev) });
}

function messageFrame(
  session: Session,
  message: DeliveryMessage | StoredMessage,
  ciphertext: string,
  prev: number,
) {
  const own = message.fromDevice === session.deviceId && message.from === session.userId;
  return {
    frame: 'MESSAGE',
    serverMsgId: message.serverMsgId,
    chatId: message.chatId,
    seq: message.seq,
    prev,
    from: message.from,
    fromDevice: message.fromDevice,
    clientMsgId: own ? message.clientMsgId : undefined,
    ciphertext,
    mediaIds: message.mediaIds,
    sentAt: message.sentAt,
  } as const;
}

/** SYNC is answered beside the live stream: it moves neither the window nor what counts as pushed. */
function answerSync(gateway: Gateway, session: Session, sync: SyncRequest, result: Fetched, out: Out): void {
  const { conn } = session;
  const { chatId } = sync;
  if (result.spans.length === 0) {
    const message = 'chatId: there is no such chat for this user';
    const refusal = {
      code: 'no_such_chat',
      message,
      retryAfterMs: undefined,
      clientMsgId: undefined,
      chatId,
      refusedFrame: 'SYNC',
    } as const;
    out.push({ kind: 'frame', conn, frame: { frame: 'ERROR', ...refusal } });
    return;
  }
  const view = session.chats.get(chatId);
  const last = result.messages[result.messages.length - 1];
  const visible = result.messages.filter((message) => canSee(result.spans, message.seq));
  if (visible.length === 0 && last !== undefined && result.more) {
    // A page of what this user does not see: an empty answer would be asked for again, for ever.
    session.syncs.unshift({ ...sync, afterSeq: last.seq });
    return;
  }
  for (const message of visible) {
    const prev = prevVisible(result.spans, message.seq);
    out.push({ kind: 'frame', conn, frame: messageFrame(session, message, message.ciphertext, prev) });
    const { seq, serverMsgId } = message;
    if (view !== undefined && seq > view.acked) view.beside.push({ seq, serverMsgId });
  }
  if (view !== undefined) keepBeside(session, view, gateway.limits.syncPage);
  out.push({
    kind: 'frame',
    conn,
    frame: { frame: 'SYNC_END', chatId, head: visibleHead(result.spans, result.head) },
  });
}

/** Pages that are remembered of all chats together. No device that repairs has more open, and one may be in ten thousand. */
const BESIDE_PAGES = 16;

/** A DELIVERED for what is forgotten counts for nothing; the next one, or RESUME, says the same. */
function keepBeside(session: Session, view: ChatView, page: number): void {
  view.beside = view.beside.slice(-page);
  const { beside } = session;
  beside.delete(view);
  beside.add(view);
  let kept = 0;
  for (const each of beside) kept += each.beside.length;
  for (const oldest of beside) {
    if (kept <= BESIDE_PAGES * page) return;
    kept -= oldest.beside.length;
    oldest.beside = [];
    beside.delete(oldest);
  }
}
