import { assertNever } from '../contract/assert.ts';
import { type DeliveryMessage, OPEN_END } from '../contract/records.ts';
import type { Micros } from '../contract/time.ts';
import type { Push, PushOutcome } from './push.ts';
import { noteHuge } from './huge-state.ts';
import { prove } from './proof.ts';
import { type ReceiptNews, tellOfChat, tellOrWait } from './receipts-down.ts';
import { absorbOwn, markBehind, pump, sendMessage } from './replay.ts';
import {
  type ChatView,
  type Gateway,
  newChatView,
  type Out,
  type Session,
  type Waiter,
  windowOpen,
} from './session-state.ts';

/**
 * Pushes of delivery workers. A push is answered `settled` only on proof: a receipt that covers the message, or, while
 * the device cannot take it yet, a PONG to a PING sent after the push came. A half-open connection proves nothing, so the
 * worker looks the device up again and finds where it really is.
 */
export function onPush(gateway: Gateway, push: Push, now: Micros, out: Out): void {
  const session = sessionFor(gateway, push);
  if (session === undefined) {
    answer(push, 'no-session', out);
    return;
  }
  const { item } = push;
  switch (item.kind) {
    case 'message':
      pushMessage(gateway, session, push, item, now, out);
      break;
    case 'receipt':
      pushReceipt(gateway, session, push, item.receipt, out);
      break;
    case 'counts':
      pushReceipt(gateway, session, push, item.count, out);
      break;
    case 'typing':
      if (session.phase === 'live' && !session.congested && session.open.has(item.chatId)) {
        const { chatId, from } = item;
        out.push({ kind: 'frame', conn: session.conn, frame: { frame: 'TYPING', chatId, from } });
      }
      answer(push, 'settled', out);
      break;
    default:
      assertNever(item);
  }
}

/** A session older than the one the registry named is fenced off, whatever it believes. */
function sessionFor(gateway: Gateway, push: Push): Session | undefined {
  const sessions = gateway.byUser.get(push.userId);
  if (sessions === undefined) return undefined;
  for (const session of sessions) {
    if (session.deviceId === push.deviceId && session.epoch >= push.epoch) return session;
  }
  return undefined;
}

function answer(push: Push, outcome: PushOutcome, out: Out): void {
  out.push({ kind: 'push-result', worker: push.worker, pushId: push.pushId, outcome });
}

function pushMessage(
  gateway: Gateway,
  session: Session,
  push: Push,
  { message, huge }: Extract<Push['item'], { kind: 'message' }>,
  now: Micros,
  out: Out,
): void {
  let view = session.chats.get(message.chatId);
  if (view === undefined && session.incomplete) {
    // Where the device stands in this chat is known when its shard is listed: perhaps now that something came of it.
    hold(gateway, session, { worker: push.worker, pushId: push.pushId, seq: message.seq }, out);
    session.refresh = true;
    pump(gateway, session, out);
    return;
  }
  if (view === undefined) {
    view = newChatView(message.chatId, 0, 0, []);
    session.chats.set(message.chatId, view);
  }
  if (huge === true) noteHuge(gateway, session, view, now, out);
  const { seq } = message;
  noteReturn(view, seq);
  if (seq <= view.acked) {
    answer(push, 'settled', out);
    return;
  }
  const waiter = { worker: push.worker, pushId: push.pushId, seq };
  if (seq <= view.pushed) {
    awaitReceipt(gateway, session, view, waiter, out);
    return;
  }
  if (canSendNow(gateway, session, view, message)) {
    sendMessage(session, view, message, view.tip, out);
    // In a chat where both sides write, the ACK of an answer often comes before the push of what it answers.
    absorbOwn(view);
    if (view.head < view.pushed) view.head = view.pushed;
    tellOfChat(gateway, session, view.chatId, out);
    view.waiters.push(waiter);
    return;
  }
  if (seq > view.head) view.head = seq;
  hold(gateway, session, waiter, out);
  if (session.phase !== 'live') return;
  markBehind(session, view);
  pump(gateway, session, out);
}

/**
 * Who had left and is back sees more than this session has read. In a huge group it must know: nobody pushes what follows to
 * him, and a head that it takes for invisible it would never fetch.
 */
function noteReturn(view: ChatView, seq: number): void {
  const last = view.spans[view.spans.length - 1];
  if (last !== undefined && seq > last.upTo) view.spans = [...view.spans, { after: seq - 1, upTo: OPEN_END }];
}

/** The short way, without the store: the message is the very next one of a chat that is up to date. */
function canSendNow(gateway: Gateway, session: Session, view: ChatView, message: DeliveryMessage): boolean {
  return (
    message.seq === view.pushed + 1 &&
    view.head <= view.pushed &&
    message.ciphertext !== undefined &&
    session.phase === 'live' &&
    session.reading?.view !== view &&
    windowOpen(gateway, session)
  );
}

/** A push of what was pushed before: it waits with the first one, or for proof when nothing is in flight any more. */
function awaitReceipt(gateway: Gateway, session: Session, view: ChatView, waiter: Waiter, out: Out): void {
  const last = view.flight[view.flight.length - 1];
  if (last !== undefined && last.seq >= waiter.seq) view.waiters.push(waiter);
  else hold(gateway, session, waiter, out);
}

/** A device that speaks and never proves that it hears would keep them all, and their workers waiting for each. */
function hold(gateway: Gateway, session: Session, waiter: Waiter, out: Out): void {
  session.held.push(waiter);
  if (session.held.length > gateway.limits.heldPushes) {
    const { worker, pushId } = session.held.shift() as Waiter;
    out.push({ kind: 'push-result', worker, pushId, outcome: 'no-session' });
  }
  prove(session, out);
}

function pushReceipt(gateway: Gateway, session: Session, push: Push, receipt: ReceiptNews, out: Out): void {
  const taken = tellOrWait(gateway, session, receipt, out);
  answer(push, taken ? 'settled' : 'no-session', out);
}
