import type { ChatId, ConnId } from '../contract/ids.ts';
import type { ChatSummary } from '../contract/records.ts';
import type { ListChatsResult, OpenDeviceResult } from '../contract/store.ts';
import type { Micros } from '../contract/time.ts';
import { canSee, prevVisible, visibleHead } from '../sequencing/membership.ts';
import { CLOSE_CODE } from '../wire/frames.ts';
import type { GatewayEvent } from './gateway-event.ts';
import type { ClaimResult } from './lease.ts';
import { armRenewal, noteCompleteness } from './lease-renewal.ts';
import { prove } from './proof.ts';
import { countOwn } from './huge-chats.ts';
import { leaveHugeChat, noteSize } from './huge-state.ts';
import { waitWithAll } from './receipts-down.ts';
import { markBehind, pump, pumpReads } from './replay.ts';
import { closeWithError, refuseSession, replaceSession, sendGoaway } from './session-end.ts';
import { pauseAfter, restList } from './session-rest.ts';
import { noteRead, sendAwayIfLost } from './store-loss.ts';
import { connectTooEarly } from './session-rates.ts';
import {
  armRetry,
  type ChatView,
  entryOf,
  type Gateway,
  newChatView,
  newSession,
  type Out,
  type Session,
  wakeSession,
} from './session-state.ts';

/** From an accepted socket to a live session: epoch, lease, list of chats, WELCOME, RESUME. */

export function onOpen(
  gateway: Gateway,
  event: Extract<GatewayEvent, { kind: 'open' }>,
  now: Micros,
  out: Out,
): void {
  const { conn } = event;
  if (gateway.draining) {
    sendGoaway(gateway, conn, 'drain', out);
    out.push({
      kind: 'disconnect',
      conn,
      code: CLOSE_CODE.goingAway,
      reason: 'this gateway is shutting down',
    });
    return;
  }
  if (gateway.sessions.size >= gateway.limits.gatewaySessions) {
    closeWithError(
      conn,
      'overloaded',
      'this gateway has all the connections it can hold',
      CLOSE_CODE.unavailable,
      out,
    );
    return;
  }
  const early = connectTooEarly(gateway, event.address, event.userId, now);
  if (early > 0) {
    const retryAfterMs = Math.ceil(Math.max(early, gateway.limits.ratePause) / 1_000);
    const message = `too many connections in a short time: wait ${retryAfterMs} ms`;
    closeWithError(conn, 'rate_limited', message, CLOSE_CODE.unavailable, out, retryAfterMs);
    return;
  }
  const session = newSession({ ...event, now });
  gateway.sessions.set(conn, session);
  out.push({ kind: 'open-device', conn, userId: session.userId, deviceId: session.deviceId });
  wakeSession(session, gateway.limits.resumeTimeout, now, out);
}

function retryOpening(gateway: Gateway, session: Session, now: Micros, out: Out): void {
  session.failures++;
  if (session.failures >= gateway.limits.openingAttempts) {
    refuseSession(gateway, session, 'unavailable', 'the message store does not answer: connect again', out);
    return;
  }
  session.retrying = true;
  armRetry(gateway, session, now, out);
}

export function onDeviceOpened(
  gateway: Gateway,
  session: Session | undefined,
  result: OpenDeviceResult,
  now: Micros,
  out: Out,
): void {
  if (session === undefined || session.phase !== 'opening') return;
  if (result.outcome !== 'ok') {
    // An epoch that was perhaps handed out is skipped: they only need to ascend.
    retryOpening(gateway, session, now, out);
    return;
  }
  session.epoch = result.epoch;
  session.confirmed = result.confirmed;
  session.failures = 0;
  for (const other of gateway.byUser.get(session.userId) ?? []) {
    if (other.deviceId !== session.deviceId) continue;
    if (other.epoch > session.epoch) {
      replaceSession(gateway, session, now, out);
      return;
    }
    replaceSession(gateway, other, now, out);
  }
  gateway.byUser.set(session.userId, [...(gateway.byUser.get(session.userId) ?? []), session]);
  session.phase = 'claiming';
  claim(gateway, session, out);
}

function claim(gateway: Gateway, session: Session, out: Out): void {
  out.push({
    kind: 'claim',
    conn: session.conn,
    entry: entryOf(gateway, session),
    ttl: gateway.limits.leaseTtl,
  });
}

export function onClaimed(
  gateway: Gateway,
  session: Session | undefined,
  result: ClaimResult,
  now: Micros,
  out: Out,
): void {
  if (session === undefined || session.phase !== 'claiming') return;
  if (result.outcome === 'fenced') {
    replaceSession(gateway, session, now, out);
    return;
  }
  if (
    result.outcome === 'held' &&
    result.previous !== undefined &&
    result.previous.gatewayId !== gateway.nodeId
  ) {
    const { userId, deviceId, gatewayId } = result.previous;
    out.push({ kind: 'evict', gatewayId, userId, deviceId, epoch: session.epoch });
  }
  // A registry that is down delays pushes and nothing else: the renewal registers the session and reads the heads again.
  session.phase = 'listing';
  armRenewal(gateway, out);
  askForChats(gateway, session, out);
}

function askForChats(gateway: Gateway, session: Session, out: Out): void {
  session.refresh = true;
  gateway.readQueue.add(session);
  pumpReads(gateway, out);
}

export function onChats(
  gateway: Gateway,
  conn: ConnId,
  result: ListChatsResult,
  now: Micros,
  out: Out,
): void {
  noteRead(gateway, result.outcome === 'ok', now);
  gateway.reads--;
  const session = gateway.sessions.get(conn);
  if (session !== undefined) {
    session.refreshing = false;
    if (result.outcome === 'failed' || !mayOpenWith(session, result))
      onListFailed(gateway, session, now, out);
    else if (session.phase === 'listing') welcome(gateway, session, result, now, out);
    else refreshHeads(gateway, session, result, now, out);
  }
  pumpReads(gateway, out);
}

/**
 * A new device would start in the chats of a shard that answers later at the heads of that time, and never get what was
 * sent since it opened. So it waits until every shard has answered once.
 */
function mayOpenWith(session: Session, { complete }: Listed): boolean {
  return complete || session.confirmed;
}

function onListFailed(gateway: Gateway, session: Session, now: Micros, out: Out): void {
  if (session.phase === 'listing') retryOpening(gateway, session, now, out);
  else {
    session.listFailures++;
    sendAwayIfLost(gateway, session, now, out);
    restList(gateway, session, pauseAfter(gateway, session.listFailures), now, out);
  }
}

/** Goes on with the step that failed. */
export function resumeOpening(gateway: Gateway, session: Session, out: Out): void {
  session.retrying = false;
  const { conn, userId, deviceId } = session;
  if (session.phase === 'opening') out.push({ kind: 'open-device', conn, userId, deviceId });
  else if (session.phase === 'listing') askForChats(gateway, session, out);
}

type Listed = Extract<ListChatsResult, { outcome: 'ok' }>;

function welcome(
  gateway: Gateway,
  session: Session,
  { chats, complete }: Listed,
  now: Micros,
  out: Out,
): void {
  session.phase = 'welcomed';
  session.openedAt = now;
  noteCompleteness(gateway, session, complete);
  if (!session.confirmed) {
    session.confirmed = true;
    out.push({ kind: 'confirm-device', userId: session.userId, deviceId: session.deviceId });
  }
  if (!complete) forgetUnlisted(gateway, session, chats);
  for (const chat of chats) {
    const head = visibleHead(chat.spans, chat.head);
    const early = session.chats.get(chat.chatId);
    const cursor = Math.min(chat.cursor, head);
    const view = newChatView(chat.chatId, cursor, Math.max(head, early?.head ?? 0), chat.spans);
    session.chats.set(chat.chatId, view);
    noteSize(gateway, session, view, chat.size, now, out);
    waitWithVisible(session, chat);
  }
  const { limits } = gateway;
  out.push({
    kind: 'frame',
    conn: session.conn,
    frame: {
      frame: 'WELCOME',
      deviceId: session.deviceId,
      gatewayId: gateway.nodeId,
      region: gateway.region,
      sessionEpoch: session.epoch,
      heartbeatMs: Math.max(1, Math.floor(limits.heartbeat / 1000)),
      maxInFlight: limits.inFlightMessages,
      chats: [...session.chats.values()].map(({ chatId, head, pushed }) => ({
        chatId,
        head,
        cursor: pushed,
      })),
    },
  });
}

/** A chat that a push named, and that lies where the list did not reach: how far the device is will be known later. */
function forgetUnlisted(gateway: Gateway, session: Session, chats: readonly ChatSummary[]): void {
  const listed = new Set(chats.map(({ chatId }) => chatId));
  for (const chatId of session.chats.keys()) {
    if (listed.has(chatId)) continue;
    session.chats.delete(chatId);
    leaveHugeChat(gateway, session, chatId);
  }
}

/** A list read again while live: whatever it shows that was not pushed is fetched. */
function refreshHeads(gateway: Gateway, session: Session, listed: Listed, now: Micros, out: Out): void {
  const late = session.incomplete;
  session.listFailures = 0;
  for (const chat of listed.chats) {
    const head = visibleHead(chat.spans, chat.head);
    let view = session.chats.get(chat.chatId);
    if (view === undefined) {
      if (head === 0) continue;
      view = newChatView(chat.chatId, 0, head, chat.spans);
      session.chats.set(chat.chatId, view);
      if (late) joinLate(session, view, chat);
    }
    // Also the receipt of a device that stays connected may be lost on its way to the store.
    if (view.acked > chat.cursor) healReceipt(session, view, now, out);
    view.spans = chat.spans;
    noteSize(gateway, session, view, chat.size, now, out);
    // What was counted while pushes passed by, nobody told.
    countOwn(gateway, session, chat.chatId, out);
    if (head > view.head) view.head = head;
    markBehind(session, view);
  }
  noteCompleteness(gateway, session, listed.complete);
  if (listed.complete) session.awaited = undefined;
  pump(gateway, session, out);
}

/** A chat of a shard that did not answer when the session opened: it starts where RESUME and the store say. */
function joinLate(session: Session, view: ChatView, chat: ChatSummary): void {
  const named = session.awaited?.get(chat.chatId);
  startFrom(view, visibleHead(view.spans, Math.min(named ?? chat.cursor, view.head)));
  waitWithVisible(session, chat);
}

/** Who joined late or has left hears of nothing outside his time. */
function waitWithVisible(session: Session, { chatId, spans, receipts }: ChatSummary): void {
  const visible = receipts.filter(({ seq }) => canSee(spans, seq));
  if (visible.length > 0) waitWithAll(session, chatId, visible);
}

/** RESUME: the device's own cursors are the truth about what it has; the list says how far there is to go. */
export function onResume(
  gateway: Gateway,
  session: Session,
  cursors: readonly (readonly [ChatId, number])[],
  now: Micros,
  out: Out,
): void {
  for (const [chatId, named] of cursors) {
    const view = session.chats.get(chatId);
    if (view === undefined) {
      if (session.incomplete) (session.awaited ??= new Map()).set(chatId, named);
      continue;
    }
    const listed = view.pushed;
    // What a client claims beyond what it can have seen is cut to that, also in the time between two memberships.
    const cursor = visibleHead(view.spans, Math.min(named, view.head));
    startFrom(view, cursor);
    if (cursor > listed) healReceipt(session, view, now, out);
  }
  session.phase = 'live';
  for (const view of session.chats.values()) markBehind(session, view);
  pump(gateway, session, out);
  prove(session, out);
}

function startFrom(view: ChatView, cursor: number): void {
  view.pushed = cursor;
  view.acked = cursor;
  view.tip = prevVisible(view.spans, cursor + 1);
}

/** The device has more than the store knows: the receipt that said so was lost on its way. */
function healReceipt(session: Session, view: ChatView, now: Micros, out: Out): void {
  const { userId, deviceId } = session;
  out.push({
    kind: 'request',
    request: {
      kind: 'receipt',
      userId,
      deviceId,
      chatId: view.chatId,
      serverMsgId: undefined,
      seq: view.acked,
      type: 'DELIVERED',
      at: now,
    },
  });
}
