import type { StoredMessage } from '../contract/records.ts';
import type { FoundSend } from '../contract/store.ts';
import type { SubmitRequest } from '../session/service-call.ts';
import type { ErrorCode } from '../wire/frames.ts';
import type { PendingSend } from './chat-state.ts';
import { type MessageService, type Out, pauseFor } from './message-service-state.ts';

/** What a sender hears. */

/** @returns whether a repeated send has the same chat and content as one that is known here. */
export function sameSend(
  a: Pick<StoredMessage, 'chatId' | 'ciphertext' | 'mediaIds'>,
  b: SubmitRequest,
): boolean {
  return a.ciphertext === b.ciphertext && samePlace(a, b);
}

/** @returns whether a repeated send has the same chat and content as the message that the store found for it. */
export function sameAsFound(found: FoundSend, request: SubmitRequest): boolean {
  return found.sameCiphertext && samePlace(found, request);
}

function samePlace(a: Pick<StoredMessage, 'chatId' | 'mediaIds'>, b: SubmitRequest): boolean {
  return (
    a.chatId === b.chatId &&
    a.mediaIds.length === b.mediaIds.length &&
    a.mediaIds.every((id, i) => id === b.mediaIds[i])
  );
}

/** Acknowledges a send to everybody who waits for it. @param duplicate the first of them has sent it before, too. */
export function acknowledgeSend(
  out: Out,
  replyTos: PendingSend['replyTos'],
  message: Pick<StoredMessage, 'clientMsgId' | 'chatId' | 'serverMsgId' | 'seq' | 'sentAt'>,
  duplicate: boolean,
): void {
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
        sentAt: message.sentAt,
        duplicate: duplicate || i > 0,
      },
    });
  }
}

export function refuseConflict(
  service: MessageService,
  out: Out,
  request: SubmitRequest,
  replyTos: PendingSend['replyTos'],
): void {
  const message = 'clientMsgId: already used for another chat or other content; make a new one';
  refuseSend(service, out, request, replyTos, 'idempotency_conflict', message);
}

export function refuseSend(
  service: MessageService,
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
        retryAfterMs: pauseFor(service, code),
        clientMsgId: request.clientMsgId,
        chatId: request.chatId,
      },
    });
  }
}
