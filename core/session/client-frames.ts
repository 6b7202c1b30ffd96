import { assertNever } from '../contract/assert.ts';
import type { ClientMsgId, ServerMsgId } from '../contract/ids.ts';
import { shortList } from '../contract/short-list.ts';
import type { Micros } from '../contract/time.ts';
import { closePresence, openPresence } from '../presence/presence-board.ts';
import {
  type ClientFrame,
  CLOSE_CODE,
  type ReceiptUpFrame,
  type SendFrame,
  type SyncFrame,
} from '../wire/frames.ts';
import { lookAt } from './huge-chats.ts';
import { onPong } from './proof.ts';
import { absorbOwn, advance, markBehind, pump } from './replay.ts';
import { closeSession, sendError } from './session-end.ts';
import { admitFrame, admitSend, refuseFull } from './session-rates.ts';
import { openSyncs } from './session-rest.ts';
import { onResume } from './session-opening.ts';
import type { ChatView, Gateway, Out, Session } from './session-state.ts';

/** What a device says. Anything is possible here: a frame in the wrong place is refused, and disturbs nobody else. */
export function onClientFrame(
  gateway: Gateway,
  session: Session | undefined,
  frame: ClientFrame,
  now: Micros,
  out: Out,
): void {
  if (session === undefined) return;
  session.heardAt = now;
  if (session.phase === 'live') onLiveFrame(gateway, session, frame, now, out);
  else if (session.phase === 'welcomed' && frame.frame === 'RESUME')
    onResume(gateway, session, frame.cursors, now, out);
  else {
    const expected =
      session.phase === 'welcomed' ? 'RESUME is expected after WELCOME' : 'wait for WELCOME first';
    onBadFrame(gateway, session, 'bad_frame', `frame: ${expected}`, now, out);
  }
}

function onLiveFrame(gateway: Gateway, session: Session, frame: ClientFrame, now: Micros, out: Out): void {
  const { conn } = session;
  switch (frame.frame) {
    case 'RECEIPT':
      onReceipt(gateway, session, frame, now, out);
      break;
    case 'SEND':
      onSend(gateway, session, frame, now, out);
      break;
    case 'PING':
      if (!admitFrame(gateway, session, frame, now, out)) break;
      out.push({ kind: 'frame', conn, frame: { frame: 'PONG', t: frame.t } });
      break;
    case 'PONG':
      if (session.proving?.t === frame.t || admitFrame(gateway, session, frame, now, out))
        onPong(session, frame.t, out);
      break;
    case 'SYNC':
      if (admitFrame(gateway, session, frame, now, out)) onSync(gateway, session, frame, out);
      break;
    case 'OPEN':
      if (admitFrame(gateway, session, frame, now, out)) onOpenChat(gateway, session, frame.chatId, now, out);
      break;
    case 'CLOSE':
      if (admitFrame(gateway, session, frame, now, out)) closePresence(gateway, session, frame.chatId, out);
      break;
    case 'TYPING': {
      if (!admitFrame(gateway, session, frame, now, out)) break;
      const replyTo = { node: gateway.nodeId, conn };
      const { chatId } = frame;
      out.push({ kind: 'request', request: { kind: 'typing', replyTo, userId: session.userId, chatId } });
      break;
    }
    case 'RESUME':
      onBadFrame(gateway, session, 'bad_frame', 'frame: RESUME is said once, after WELCOME', now, out);
      break;
    default:
      assertNever(frame);
  }
}

/** One bad frame is a mistake, many are abuse. @param clientMsgId of a SEND that can never be taken: a final answer to it. */
export function onBadFrame(
  gateway: Gateway,
  session: Session,
  code: 'bad_frame' | 'too_large',
  message: string,
  now: Micros,
  out: Out,
  clientMsgId?: ClientMsgId,
): void {
  sendError(session.conn, code, message, out, { clientMsgId });
  session.badFrames++;
  if (session.badFrames >= gateway.limits.badFrames) {
    closeSession(gateway, session, CLOSE_CODE.abuse, 'too many bad frames', now, out);
  }
}

/** @returns milliseconds. */
function overloadPause({ limits }: Gateway): number {
  return Math.ceil(limits.overloadRetry / 1_000);
}

function onSend(gateway: Gateway, session: Session, frame: SendFrame, now: Micros, out: Out): void {
  const { clientMsgId, chatId, ciphertext, mediaIds } = frame;
  if (session.requests.size >= gateway.limits.sessionRequests && !session.requests.has(clientMsgId)) {
    refuseFull(gateway, session, frame, now, out);
    return;
  }
  if (!admitSend(gateway, session, frame, now, out)) return;
  // In the order of their times, also when one is repeated: the timer that forgets them stops at the first that is young.
  session.requests.delete(clientMsgId);
  session.requests.set(clientMsgId, now);
  out.push({
    kind: 'request',
    request: {
      kind: 'submit',
      replyTo: { node: gateway.nodeId, conn: session.conn },
      userId: session.userId,
      deviceId: session.deviceId,
      chatId,
      clientMsgId,
      ciphertext,
      mediaIds,
    },
  });
}

/** DELIVERED opens the window up to its message; READ does too, and tells the others more. */
function onReceipt(gateway: Gateway, session: Session, frame: ReceiptUpFrame, now: Micros, out: Out): void {
  const { chatId, serverMsgId, type } = frame;
  const view = session.chats.get(chatId);
  if (view === undefined) {
    if (!admitFrame(gateway, session, frame, now, out)) return;
    sendError(session.conn, 'no_such_chat', 'chatId: there is no such chat for this user', out, { chatId });
    return;
  }
  const pushed = named(view.flight, serverMsgId) ?? named(view.beside, serverMsgId);
  if (pushed !== undefined) {
    cover(session, view, pushed.seq, out);
    report(session, view, serverMsgId, pushed.seq, 'DELIVERED', now, out);
    if (type === 'READ') report(session, view, serverMsgId, pushed.seq, 'READ', now, out);
    pump(gateway, session, out);
    return;
  }
  if (!admitFrame(gateway, session, frame, now, out)) return;
  if (type === 'READ') {
    const seq = view.last?.serverMsgId === serverMsgId ? view.last.seq : undefined;
    report(session, view, serverMsgId, seq, 'READ', now, out);
  }
  // A DELIVERED of what was not sent, or is covered already, says nothing new.
}

function named<M extends { readonly serverMsgId: ServerMsgId }>(
  messages: readonly M[],
  serverMsgId: ServerMsgId,
): M | undefined {
  for (let i = 0; i < messages.length; i++)
    if ((messages[i] as M).serverMsgId === serverMsgId) return messages[i];
  return undefined;
}

/** Everything up to `seq` is with the device, whichever way it came. */
function cover(session: Session, view: ChatView, seq: number, out: Out): void {
  let n = 0;
  for (const message of view.flight) {
    if (message.seq > seq) break;
    session.inFlight--;
    session.inFlightBytes -= message.bytes;
    view.last = message;
    n++;
  }
  view.flight = n === view.flight.length ? shortList() : view.flight.slice(n);
  view.acked = Math.max(view.acked, seq);
  if (view.beside.length > 0) forgetCovered(view);
  if (seq > view.pushed) {
    advance(view, seq);
    absorbOwn(view);
    markBehind(session, view);
  }
  if (view.waiters.length === 0) return;
  const { waiters } = view;
  view.waiters = shortList();
  for (const waiter of waiters) {
    if (waiter.seq > seq) view.waiters.push(waiter);
    else out.push({ kind: 'push-result', worker: waiter.worker, pushId: waiter.pushId, outcome: 'settled' });
  }
}

function forgetCovered(view: ChatView): void {
  view.beside = view.beside.filter((message) => message.seq > view.acked);
}

function report(
  session: Session,
  view: ChatView,
  serverMsgId: ReceiptUpFrame['serverMsgId'],
  seq: number | undefined,
  type: ReceiptUpFrame['type'],
  at: Micros,
  out: Out,
): void {
  const { userId, deviceId } = session;
  const { chatId } = view;
  out.push({
    kind: 'request',
    request: { kind: 'receipt', userId, deviceId, chatId, serverMsgId, seq, type, at },
  });
}

function onSync(gateway: Gateway, session: Session, frame: SyncFrame, out: Out): void {
  const { chatId, afterSeq } = frame;
  // One that is being read may have to wait again.
  if (openSyncs(session) >= gateway.limits.sessionSyncs) {
    const message = 'too many SYNC requests of this connection are waiting: ask again a little later';
    sendError(session.conn, 'overloaded', message, out, { retryAfterMs: overloadPause(gateway), chatId });
    return;
  }
  session.syncs.push({
    chatId,
    afterSeq,
    limit: Math.min(frame.limit, gateway.limits.syncPage),
    failures: 0,
  });
  pump(gateway, session, out);
}

function onOpenChat(
  gateway: Gateway,
  session: Session,
  chatId: ChatView['chatId'],
  now: Micros,
  out: Out,
): void {
  if (session.open.has(chatId)) {
    lookAt(gateway, session, chatId, now, out);
    return;
  }
  if (session.open.size >= gateway.limits.openChats) {
    const message = `at most ${gateway.limits.openChats} chats can be open: CLOSE one first`;
    sendError(session.conn, 'overloaded', message, out, { chatId });
    return;
  }
  openPresence(gateway, session, chatId, now, out);
  lookAt(gateway, session, chatId, now, out);
}
