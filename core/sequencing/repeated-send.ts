import type { SubmitRequest } from '../session/service-call.ts';
import type { ChatState, PendingSend } from './chat-state.ts';
import type { Out } from './message-service-state.ts';
import { acknowledgeSend, refuseConflict, sameSend } from './send-answers.ts';
import { findWaiting } from './waiting-sends.ts';

/** @returns whether the send was seen here before: then it is answered, or waits with the first of them. */
export function isRepeat(chat: ChatState, request: SubmitRequest, out: Out): boolean {
  const answered = chat.recent.get(request.clientMsgId) ?? chat.earlier.get(request.clientMsgId);
  if (answered !== undefined && answered.from === request.userId) {
    if (sameSend(answered, request)) acknowledgeSend(out, [request.replyTo], answered, true);
    else refuseConflict(out, request, [request.replyTo]);
    return true;
  }
  const waiting = findWaiting(chat.waiting, request);
  if (waiting === undefined) return false;
  joinWaiting(waiting, request, out);
  return true;
}

const MAX_REPLY_TOS = 4;

function joinWaiting(waiting: PendingSend, request: SubmitRequest, out: Out): void {
  if (!sameSend(waiting.request, request)) {
    refuseConflict(out, request, [request.replyTo]);
    return;
  }
  // The latest connections are the ones that may still be there.
  waiting.replyTos = [...waiting.replyTos.slice(1 - MAX_REPLY_TOS), request.replyTo];
}
