import type { SubmitRequest } from '../session/service-call.ts';
import type { ChatState, PendingSend } from './chat-state.ts';
import type { MessageService, Out } from './message-service-state.ts';
import { acknowledgeSend, refuseConflict, sameSend } from './send-answers.ts';
import { findWaiting } from './waiting-sends.ts';

/** @returns whether the send was seen here before: then it is answered, or waits with the first of them. */
export function isRepeat(
  service: MessageService,
  chat: ChatState,
  request: SubmitRequest,
  out: Out,
): boolean {
  const answered = chat.recent.get(request.clientMsgId) ?? chat.earlier.get(request.clientMsgId);
  if (answered !== undefined && answered.from === request.userId) {
    if (sameSend(answered, request)) acknowledgeSend(out, [request.replyTo], answered, true);
    else refuseConflict(service, out, request, [request.replyTo]);
    return true;
  }
  const waiting = findWaiting(chat.waiting, request);
  if (waiting === undefined) return false;
  joinWaiting(service, waiting, request, out);
  return true;
}

function joinWaiting(service: MessageService, waiting: PendingSend, request: SubmitRequest, out: Out): void {
  if (!sameSend(waiting.request, request)) {
    refuseConflict(service, out, request, [request.replyTo]);
    return;
  }
  // The latest connections are the ones that may still be there.
  waiting.replyTos = [...waiting.replyTos, request.replyTo].slice(-service.limits.replyTos);
}
