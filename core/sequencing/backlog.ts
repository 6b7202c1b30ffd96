import { refuseAdmin } from './chat-admin.ts';
import type { ChatState, Pending, PendingSend } from './chat-state.ts';
import { removeWaiting } from './waiting-sends.ts';
import type { MessageService, Out } from './message-service-state.ts';
import { refuseSend } from './send-answers.ts';
import type { ErrorCode } from '../wire/frames.ts';

/** What waits for a chat: admitted once, put back after a failure, given up when the store stays away. */

/** @param chat undefined when it is not here: a request that is refused must not leave a chat behind. */
export function admit(service: MessageService, chat: ChatState | undefined): boolean {
  return (
    (chat === undefined || chat.queue.length + chat.writing.length < service.limits.chatBacklog) &&
    service.backlog + service.writing < service.limits.serviceBacklog
  );
}

export function settle(_service: MessageService, chat: ChatState, p: PendingSend): void {
  removeWaiting(chat.waiting, p);
}

/** Puts work back in front, in its order. It was admitted once and is not refused now. */
export function requeue(service: MessageService, chat: ChatState, pendings: readonly Pending[]): void {
  if (pendings.length === 0) return;
  chat.queue = [...pendings, ...chat.queue];
  service.backlog += pendings.length;
}

export function giveUpOrRest(
  service: MessageService,
  chat: ChatState,
  pendings: readonly Pending[],
  then: 'cold' | 'idle',
  out: Out,
): void {
  const again: Pending[] = [];
  for (const p of pendings) {
    if (p.kind !== 'receipt' && p.attempts >= service.limits.appendAttempts) {
      refusePending(
        service,
        chat,
        p,
        'unavailable',
        'the message store does not answer: send again, with the same clientMsgId',
        out,
      );
    } else again.push(p);
  }
  requeue(service, chat, again);
  rest(service, chat, then, out);
}

export function rest(service: MessageService, chat: ChatState, then: 'cold' | 'idle', out: Out): void {
  chat.phase = 'resting';
  chat.afterRest = then;
  if (service.resting.length === 0)
    out.push({ kind: 'wake', timer: 'retry', after: service.limits.storeRetry });
  service.resting.push(chat);
}

export function refusePending(
  service: MessageService,
  chat: ChatState,
  p: Pending,
  code: ErrorCode,
  message: string,
  out: Out,
): void {
  if (p.kind === 'send') {
    settle(service, chat, p);
    refuseSend(out, p.request, p.replyTos, code, message);
  } else if (p.kind === 'admin') refuseAdmin(out, p.request, code, message);
}
