import { assert } from '../contract/assert.ts';
import type { ChatId, ClientMsgId } from '../contract/ids.ts';
import type { StoredMessage } from '../contract/records.ts';
import type { AppendResult, ChangeMemberResult, FoundSend, LoadResult } from '../contract/store.ts';
import type { Micros } from '../contract/time.ts';
import { giveUpOrRest, refusePending, requeue, rest, settle } from './backlog.ts';
import { applyMemberChange } from './chat-admin.ts';
import { type ChatState, learn, type Pending, type PendingAdmin, type PendingSend } from './chat-state.ts';
import type { MessageService, Out } from './message-service-state.ts';
import { acknowledgeSend, refuseConflict, sameAsFound } from './send-answers.ts';
import { pump, toMessage } from './sequencer.ts';
import { chargeStrangers } from './strangers.ts';

/** What becomes of a chat's writes and loads when the store answers, or does not: acknowledged, repeated, read again first. */

/** @throws InvariantError when the chat is in another phase: the answer belongs to nothing that it asked. */
function chatIn(phase: 'writing' | 'loading', service: MessageService, id: ChatId): ChatState {
  const chat = service.chats.get(id);
  assert(chat?.phase === phase, 'the store answered a chat that asked nothing of the kind');
  return chat;
}

/** @returns what the write under way has carried. */
function endWrite(service: MessageService, chat: ChatState): ChatState['writing'] {
  const { writing } = chat;
  service.writing -= writing.length;
  chat.writing = [];
  chat.phase = 'idle';
  return writing;
}

export function onAppended(
  service: MessageService,
  id: ChatId,
  result: AppendResult,
  now: Micros,
  out: Out,
): void {
  const chat = chatIn('writing', service, id);
  const messages = chat.appending;
  chat.appending = [];
  const batch = endWrite(service, chat) as readonly PendingSend[];
  if (result.outcome === 'ok') chat.learnedAt = now;
  const headBefore = chat.head;
  switch (result.outcome) {
    case 'ok':
      for (const p of batch) {
        const message = messages[chat.head - headBefore] as StoredMessage;
        chat.head++;
        acknowledge(service, chat, p, message, out);
      }
      out.push({ kind: 'outbox-hint' });
      break;
    case 'duplicate':
      requeue(service, chat, answerDuplicates(service, chat, batch, result.found, out));
      break;
    case 'stale':
    case 'unknown':
      chat.phase = 'cold';
      requeue(service, chat, batch);
      // An unknown outcome usually means a store in trouble: do not hurry it.
      if (result.outcome === 'unknown') rest(service, chat, 'cold', out);
      break;
    case 'failed':
      giveUpOrRest(service, chat, batch, 'idle', out);
      break;
  }
  pump(service, chat, now, out);
}

export function onMemberChanged(
  service: MessageService,
  id: ChatId,
  result: ChangeMemberResult,
  now: Micros,
  out: Out,
): void {
  const chat = chatIn('writing', service, id);
  const [pending] = endWrite(service, chat) as readonly [PendingAdmin];
  if (result.outcome === 'ok') {
    chat.learnedAt = now;
    applyMemberChange(service, chat, pending.request, out);
  } else if (result.outcome === 'failed') giveUpOrRest(service, chat, [pending], 'idle', out);
  else {
    // Deciding again on fresh knowledge is safe: a change that did happen turns out to be none.
    chat.phase = 'cold';
    requeue(service, chat, [pending]);
    if (result.outcome === 'unknown') rest(service, chat, 'cold', out);
  }
  pump(service, chat, now, out);
}

export function onLoaded(
  service: MessageService,
  id: ChatId,
  result: LoadResult,
  now: Micros,
  out: Out,
): void {
  const chat = chatIn('loading', service, id);
  const queue = chat.queue;
  switch (result.outcome) {
    case 'ok': {
      chat.phase = 'idle';
      learn(chat, result.chat, service.limits, now);
      for (const p of queue) if (p.check === 'asked') p.check = 'done';
      chat.queue = [];
      service.backlog -= queue.length;
      const unanswered = answerDuplicates(service, chat, queue, result.found, out);
      chargeStrangers(service, chat, unanswered, now);
      requeue(service, chat, unanswered);
      break;
    }
    case 'no-chat':
      chat.queue = [];
      service.backlog -= queue.length;
      chargeStrangers(service, undefined, queue, now);
      for (const p of queue)
        refusePending(service, chat, p, 'no_such_chat', 'chatId: there is no such chat for this user', out);
      service.chats.delete(id);
      return;
    case 'failed':
      chat.queue = [];
      service.backlog -= queue.length;
      for (const p of queue) if (p.kind !== 'receipt') p.attempts++;
      giveUpOrRest(service, chat, queue, 'cold', out);
      break;
  }
  pump(service, chat, now, out);
}

/** Answers those of `pendings` that are already messages. @returns the others. */
function answerDuplicates<P extends Pending>(
  service: MessageService,
  chat: ChatState,
  pendings: readonly P[],
  found: readonly FoundSend[],
  out: Out,
): readonly P[] {
  if (found.length === 0) return pendings;
  const byId = new Map<ClientMsgId, FoundSend[]>();
  for (const m of found) byId.set(m.clientMsgId, [...(byId.get(m.clientMsgId) ?? []), m]);
  const rest: P[] = [];
  for (const p of pendings) {
    const match =
      p.kind === 'send'
        ? byId.get(p.request.clientMsgId)?.find((m) => m.from === p.request.userId)
        : undefined;
    if (p.kind !== 'send' || match === undefined) rest.push(p);
    // Our own earlier attempt whose outcome was unknown is not a duplicate for the sender.
    else if (match.serverMsgId === p.serverMsgId) acknowledge(service, chat, p, toMessage(p, match.seq), out);
    else if (sameAsFound(match, p.request)) {
      settle(chat, p);
      acknowledgeSend(out, p.replyTos, match, true);
      remember(service, chat, { ...match, ciphertext: p.request.ciphertext });
    } else {
      settle(chat, p);
      refuseConflict(service, out, p.request, p.replyTos);
    }
  }
  return rest;
}

function acknowledge(
  service: MessageService,
  chat: ChatState,
  p: PendingSend,
  message: StoredMessage,
  out: Out,
): void {
  settle(chat, p);
  remember(service, chat, message);
  acknowledgeSend(out, p.replyTos, message, false);
}

function remember(service: MessageService, chat: ChatState, message: StoredMessage): void {
  chat.recent.set(message.clientMsgId, message);
  if (chat.recent.size < service.limits.recentSends) return;
  // Forgetting a generation at a time costs nothing per message.
  chat.earlier = chat.recent;
  chat.recent = new Map();
}
