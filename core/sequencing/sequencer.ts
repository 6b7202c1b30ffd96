import { hasElapsed } from '../contract/elapsed.ts';
import type { StoredMessage } from '../contract/records.ts';
import { shortList } from '../contract/short-list.ts';
import type { AskedSend } from '../contract/store.ts';
import type { Micros } from '../contract/time.ts';
import { acceptReceipt } from '../receipts/receipt-writer.ts';
import type { ReceiptRequest, SubmitRequest } from '../session/service-call.ts';
import { admit, requeue, settle } from './backlog.ts';
import { decideAdmin, refuseAdmin } from './chat-admin.ts';
import {
  type AdminRequest,
  type ChatState,
  isMember,
  type Pending,
  type PendingAdmin,
  type PendingReceipt,
  type PendingSend,
  strangerCode,
  wasMember,
} from './chat-state.ts';
import {
  addChat,
  chatIfHere,
  type MessageService,
  newServerMsgId,
  type Out,
} from './message-service-state.ts';
import { isRepeat } from './repeated-send.ts';
import { refuseSend } from './send-answers.ts';
import { mustWaitAsStranger } from './strangers.ts';
import { addWaiting } from './waiting-sends.ts';

/** The per-chat sequence: dense seqs, one write at a time, idempotent by (sender, clientMsgId) for ever. */

export function onSubmit(service: MessageService, request: SubmitRequest, now: Micros, out: Out): void {
  const here = chatIfHere(service, request.chatId);
  if (here !== undefined && isRepeat(service, here, request, out)) return;
  const problem = sendProblem(service, here, request, now);
  if (problem !== undefined) {
    refuseSend(service, out, request, [request.replyTo], 'overloaded', problem);
    return;
  }
  const pending: PendingSend = {
    kind: 'send',
    request,
    serverMsgId: newServerMsgId(service),
    sentAt: now,
    replyTos: [request.replyTo],
    attempts: 0,
    check: 'none',
    twin: undefined,
  };
  const chat = here ?? addChat(service, request.chatId);
  addWaiting(chat.waiting, pending);
  enqueue(service, chat, pending, now, out);
}

function sendProblem(
  service: MessageService,
  chat: ChatState | undefined,
  request: SubmitRequest,
  now: Micros,
): string | undefined {
  if (!admit(service, chat)) return 'too many messages are waiting: send again a little later';
  if (chat?.known !== true && mustWaitAsStranger(service, request, now)) return TOO_OFTEN_A_STRANGER;
  return undefined;
}

const TOO_OFTEN_A_STRANGER =
  'too many requests of this user were for chats that there are not for him: try again a little later';
const AGAIN = ['overloaded', TOO_OFTEN_A_STRANGER] as const;

export function enqueueAdmin(service: MessageService, request: AdminRequest, now: Micros, out: Out): void {
  const here = chatIfHere(service, request.chatId);
  if (!admit(service, here)) {
    const message = 'too many requests are waiting: try again a little later';
    refuseAdmin(service, out, request, 'overloaded', message);
    return;
  }
  if (here?.known !== true && mustWaitAsStranger(service, request, now)) {
    refuseAdmin(service, out, request, 'overloaded', TOO_OFTEN_A_STRANGER);
    return;
  }
  const chat = here ?? addChat(service, request.chatId);
  enqueue(service, chat, { kind: 'admin', request, attempts: 0, check: 'none' }, now, out);
}

/** Receipts need the members of the chat; those of an unknown chat wait for its load like everything else. */
export function enqueueReceipt(
  service: MessageService,
  request: ReceiptRequest,
  now: Micros,
  out: Out,
): void {
  const here = chatIfHere(service, request.chatId);
  if (here?.known === true && wasMember(here, request.userId)) acceptReceipt(service, here, request, out);
  else if (admit(service, here)) {
    const chat = here ?? addChat(service, request.chatId);
    enqueue(service, chat, { kind: 'receipt', request, check: 'none' }, now, out);
  }
}

function enqueue(service: MessageService, chat: ChatState, pending: Pending, now: Micros, out: Out): void {
  chat.queue.push(pending);
  service.backlog++;
  pump(service, chat, now, out);
}

/** Starts the next store call of a chat when none is under way. */
export function pump(service: MessageService, chat: ChatState, now: Micros, out: Out): void {
  while (chat.queue.length > 0) {
    if (chat.phase === 'cold') {
      load(service, chat, out);
      return;
    }
    if (chat.phase !== 'idle') return;
    const first = chat.queue[0] as Pending;
    if (first.kind === 'send') appendBatch(service, chat, now, out);
    else {
      chat.queue.shift();
      service.backlog--;
      if (first.kind === 'receipt') startReceipt(service, chat, first, out);
      else startAdmin(service, chat, first, now, out);
    }
  }
}

function load(service: MessageService, chat: ChatState, out: Out): void {
  const sends: AskedSend[] = [];
  for (const p of chat.queue) {
    p.check = 'asked';
    if (p.kind !== 'send') continue;
    const { userId: from, clientMsgId, ciphertext } = p.request;
    sends.push({ from, clientMsgId, ciphertext });
  }
  chat.phase = 'loading';
  out.push({ kind: 'load-chat', call: service.nextCall++, request: { chatId: chat.chatId, sends } });
}

function appendBatch(service: MessageService, chat: ChatState, now: Micros, out: Out): void {
  const batch: PendingSend[] = shortList();
  const messages: StoredMessage[] = shortList();
  let taken = 0;
  while (taken < chat.queue.length && batch.length < service.limits.appendBatch) {
    const p = chat.queue[taken] as Pending;
    if (p.kind !== 'send') break;
    const allowed = isMember(chat, p.request.userId);
    const decidable = allowed || p.check === 'done' || mustWaitAsStranger(service, p.request, now);
    if (!decidable) {
      // What was taken before it goes first; then the store is asked about this one.
      if (taken === 0) chat.phase = 'cold';
      break;
    }
    taken++;
    if (!allowed) {
      settle(chat, p);
      const [code, message] = p.check === 'done' ? strangerCode(chat, p.request.userId) : AGAIN;
      refuseSend(service, out, p.request, p.replyTos, code, message);
      continue;
    }
    p.attempts++;
    batch.push(p);
    messages.push(toMessage(p, chat.head + batch.length));
  }
  chat.queue = taken === chat.queue.length ? shortList() : chat.queue.slice(taken);
  service.backlog -= taken;
  if (batch.length === 0) return;
  chat.phase = 'writing';
  chat.writing = batch;
  chat.appending = messages;
  service.writing += batch.length;
  out.push({
    kind: 'append',
    call: service.nextCall++,
    request: {
      chatId: chat.chatId,
      expectHead: chat.head,
      expectVersion: chat.version,
      messages,
      recipients: chat.recipients,
    },
  });
}

/** The message that a send becomes at `seq`. */
export function toMessage(p: PendingSend, seq: number): StoredMessage {
  const r = p.request;
  return {
    chatId: r.chatId,
    seq,
    serverMsgId: p.serverMsgId,
    clientMsgId: r.clientMsgId,
    from: r.userId,
    fromDevice: r.deviceId,
    ciphertext: r.ciphertext,
    mediaIds: r.mediaIds,
    sentAt: p.sentAt,
  };
}

function startReceipt(service: MessageService, chat: ChatState, pending: PendingReceipt, out: Out): void {
  const decidable = pending.check === 'done' || wasMember(chat, pending.request.userId);
  if (decidable) acceptReceipt(service, chat, pending.request, out);
  else readFirst(service, chat, pending);
}

/** Puts a request back until the chat has been read again. */
function readFirst(service: MessageService, chat: ChatState, pending: Pending): void {
  chat.phase = 'cold';
  requeue(service, chat, [pending]);
}

function startAdmin(
  service: MessageService,
  chat: ChatState,
  pending: PendingAdmin,
  now: Micros,
  out: Out,
): void {
  const answers: Out = [];
  const member = decideAdmin(service, chat, pending.request, answers);
  if (member === undefined) {
    // What looks like nothing to do, or forbidden, another service may have changed since.
    if (pending.check === 'done' || isFreshList(service, chat, answers, now)) out.push(...answers);
    else if (!isMember(chat, pending.request.userId) && mustWaitAsStranger(service, pending.request, now))
      refuseAdmin(service, out, pending.request, 'overloaded', TOO_OFTEN_A_STRANGER);
    else readFirst(service, chat, pending);
    return;
  }
  pending.attempts++;
  chat.phase = 'writing';
  chat.writing = [pending];
  service.writing++;
  out.push({
    kind: 'change-member',
    call: service.nextCall++,
    request: {
      chatId: chat.chatId,
      expectHead: chat.head,
      expectVersion: chat.version,
      member,
      markAbove: service.limits.hugeGroup,
    },
  });
}

/** A list of members may be as old as a lease: presence is no more exact than that. */
function isFreshList(service: MessageService, chat: ChatState, answers: Out, now: Micros): boolean {
  const [answer] = answers;
  const listed = answer?.kind === 'reply' && answer.reply.kind === 'members';
  return listed && !hasElapsed(chat.learnedAt, service.limits.leaseTtl, now);
}

export function onRetry(service: MessageService, now: Micros, out: Out): void {
  const resting = service.resting;
  service.resting = [];
  for (const chat of resting) {
    chat.phase = chat.afterRest;
    pump(service, chat, now, out);
  }
}
