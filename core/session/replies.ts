import { assertNever } from '../contract/assert.ts';
import type { Micros } from '../contract/time.ts';
import { closePresence, watchMembers } from '../presence/presence-board.ts';
import { learnSize } from './huge-chats.ts';
import { tellOfChat } from './receipts-down.ts';
import { ERROR_RETRYABLE } from '../wire/frames.ts';
import { markBehind, noteOwn, pump } from './replay.ts';
import type { ServiceReply } from './service-call.ts';
import { sendError } from './session-end.ts';
import { noteAnswered } from './session-rates.ts';
import { type Gateway, newChatView, type Out, type Session } from './session-state.ts';

/** Answers of the message service, on their way to the device that asked. */
export function onReply(gateway: Gateway, reply: ServiceReply, now: Micros, out: Out): void {
  const session = gateway.sessions.get(reply.conn);
  if (session === undefined) return; // The device is gone; it will ask again.
  switch (reply.kind) {
    case 'ack':
      onAck(gateway, session, reply, out);
      break;
    case 'refused': {
      const { clientMsgId, chatId, code, message, retryAfterMs } = reply;
      if (clientMsgId !== undefined) {
        session.requests.delete(clientMsgId);
        if (!ERROR_RETRYABLE[code]) noteAnswered(session, clientMsgId);
      } else if (chatId !== undefined) {
        // The members are asked for again by themselves.
        if (ERROR_RETRYABLE[code] && session.open.has(chatId)) break;
        closePresence(gateway, session, chatId, out);
      }
      sendError(session.conn, code, message, out, { retryAfterMs, clientMsgId, chatId });
      break;
    }
    case 'members':
      watchMembers(gateway, session, reply.chatId, reply.users, out);
      learnSize(gateway, session, reply.chatId, reply.users.length, now, out);
      break;
    case 'chat-created':
    case 'member-changed':
      break; // Answers to the HTTP API; a gateway never asks.
    default:
      assertNever(reply);
  }
}

/** The ACK tells the device its message's seq, so the sequence may go on behind it without a push. */
function onAck(
  gateway: Gateway,
  session: Session,
  reply: Extract<ServiceReply, { kind: 'ack' }>,
  out: Out,
): void {
  const { clientMsgId, chatId, serverMsgId, seq, sentAt, duplicate } = reply;
  session.requests.delete(clientMsgId);
  noteAnswered(session, clientMsgId);
  out.push({
    kind: 'frame',
    conn: session.conn,
    frame: { frame: 'ACK', clientMsgId, chatId, serverMsgId, seq, sentAt, duplicate },
  });
  let view = session.chats.get(chatId);
  if (view === undefined && session.incomplete) return;
  if (view === undefined) {
    view = newChatView(chatId, 0, 0, []);
    session.chats.set(chatId, view);
  }
  if (seq <= view.pushed) return;
  if (view.own.size >= gateway.limits.ownAhead) {
    // No worker pushes it to its own device: what is not remembered is fetched, and the device drops it.
    view.head = Math.max(view.head, seq);
    if (session.phase !== 'live') return;
    markBehind(session, view);
    pump(gateway, session, out);
    return;
  }
  noteOwn(view, seq, session.reading?.view === view);
  if (seq === view.pushed + 1 && view.own.has(seq)) {
    view.head = Math.max(view.head, seq);
    markBehind(session, view);
    pump(gateway, session, out);
  }
  tellOfChat(gateway, session, chatId, out);
}
