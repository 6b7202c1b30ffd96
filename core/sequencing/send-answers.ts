import type { StoredMessage } from '../contract/records.ts';
import type { SubmitRequest } from '../session/service-call.ts';
import type { ErrorCode } from '../wire/frames.ts';
import type { PendingSend } from './chat-state.ts';
import { type Out, OVERLOAD_RETRY_MS } from './message-service-state.ts';

/** What a sender hears. */

export const CONFLICT = 'clientMsgId: already used for another chat or other content; make a new one';

/** @returns whether a repeated send has the same chat and content as the message it became. */
export function sameSend(
  a: Pick<StoredMessage, 'chatId' | 'ciphertext' | 'mediaIds'>,
  b: SubmitRequest,
): boolean {
  return (
    a.chatId === b.chatId &&
    a.ciphertext === b.ciphertext &&
    a.mediaIds.length === b.mediaIds.length &&
    a.mediaIds.every((id, i) => id === b.mediaIds[i])
  );
}

/** Acknowledges a send to everybody who waits for it, or refuses a repetition with other content. */
export function answerFound(
  out: Out,
  request: SubmitRequest,
  replyTos: PendingSend['replyTos'],
  message: StoredMessage,
  duplicate: boolean,
): void {
  if (duplicate && !sameSend(message, request)) {
    refuseSend(out, request, replyTos, 'idempotency_conflict', CONFLICT);
    return;
  }
  for (let i = 0; i < replyTos.length; i++) {
    const { node, conn } = replyTos[i] as PendingSend['replyTos'][number];
    out.push({
      kind: 'reply',
      node,
      reply: {
        kind: 'ack',
        conn,
        clientMsgId: message.clientMsgId,
        chatId: message.chatId,
        serverMsgId: message.serverMsgId,
        seq: message.seq,
        duplicate: duplicate || i > 0,
      },
    });
  }
}

export function refuseSend(
  out: Out,
  request: SubmitRequest,
  replyTos: PendingSend['replyTos'],
  code: ErrorCode,
  message: string,
): void {
  for (const { node, conn } of replyTos) {
    out.push({
      kind: 'reply',
      node,
      reply: {
        kind: 'refused',
        conn,
        code,
        message,
        retryAfterMs: code === 'overloaded' || code === 'unavailable' ? OVERLOAD_RETRY_MS : undefined,
        clientMsgId: request.clientMsgId,
        chatId: request.chatId,
      },
    });
  }
}
