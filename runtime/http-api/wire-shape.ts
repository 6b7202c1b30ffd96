import type { ChatRecord, ChatSummary, StoredMessage } from '../../core/contract/records.ts';
import type { Micros } from '../../core/contract/time.ts';
import { isCurrent, prevVisible, visibleHead } from '../../core/sequencing/membership.ts';
import type { MessageReceipts } from '../ports/message-store.ts';

/** Records as the HTTP API shows them: the field names and times of the wire protocol. */

/** RFC 3339 UTC with milliseconds. */
export function wireTime(at: Micros): string {
  return new Date(at / 1_000).toISOString();
}

/** @param prev the seq before it that this user may see; on the wire only when it is not `seq - 1`. */
export function messageShape(message: StoredMessage, prev: number): Record<string, unknown> {
  return {
    serverMsgId: message.serverMsgId,
    chatId: message.chatId,
    seq: message.seq,
    ...(prev === message.seq - 1 ? {} : { prev }),
    from: message.from,
    fromDevice: message.fromDevice,
    ciphertext: message.ciphertext,
    mediaIds: message.mediaIds,
    sentAt: wireTime(message.sentAt),
  };
}

/** A chat as one of its (perhaps former) members sees it. Who left sees the head he kept, and nobody in it. */
export function chatShape(chat: ChatRecord, userId: string): Record<string, unknown> | undefined {
  const own = chat.members.find((member) => member.userId === userId);
  if (own === undefined || own.spans.length === 0) return undefined;
  const current = isCurrent(own.spans);
  const members = chat.members.filter((member) => current && isCurrent(member.spans));
  return {
    chatId: chat.chatId,
    kind: chat.kind,
    head: visibleHead(own.spans, chat.head),
    member: current,
    members: members.map(({ userId: id, role }) => ({ userId: id, role })),
  };
}

export function chatSummaryShape({ chatId, head, cursor, spans }: ChatSummary): Record<string, unknown> {
  return { chatId, head: visibleHead(spans, head), cursor, member: isCurrent(spans) };
}

export function receiptsShape({ userId, deliveredAt, readAt }: MessageReceipts): Record<string, unknown> {
  return {
    userId,
    ...(deliveredAt === undefined ? {} : { deliveredAt: wireTime(deliveredAt) }),
    ...(readAt === undefined ? {} : { readAt: wireTime(readAt) }),
  };
}

export function historyShape(
  messages: readonly StoredMessage[],
  spans: ChatSummary['spans'],
  head: number,
): Record<string, unknown> {
  return {
    messages: messages.map((message) => messageShape(message, prevVisible(spans, message.seq))),
    head: visibleHead(spans, head),
  };
}
