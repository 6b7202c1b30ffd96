import type { UserId } from '../contract/ids.ts';
import type { ReceiptCount, ReceiptRecord, Span, StoredMessage } from '../contract/records.ts';
import type { Micros } from '../contract/time.ts';
import { canSee } from '../sequencing/membership.ts';

type Watermark = Pick<ReceiptRecord, 'seq' | 'at'>;

/** A member, past ones included, and how far his receipts reach. */
export interface CountedMember {
  readonly userId: UserId;
  readonly spans: readonly Span[];
  readonly delivered: Watermark | undefined;
  readonly read: Watermark | undefined;
}

/**
 * The rule of the counts in large chats: a member counts for a message when he may see it, did not write it, and his
 * watermark reaches it. Watermarks only rise and spans never change for what is past, so no count ever falls, and nobody is
 * counted twice. Stores do the same in their own way.
 */
export function countReceipts(
  messages: readonly StoredMessage[],
  members: readonly CountedMember[],
): ReceiptCount[] {
  return messages.map((message) => countOne(message, members));
}

function countOne(
  { chatId, seq, serverMsgId, from }: StoredMessage,
  members: readonly CountedMember[],
): ReceiptCount {
  let deliveredCount = 0;
  let readCount = 0;
  let at = 0 as Micros;
  for (const { userId, spans, delivered, read } of members) {
    if (userId === from || !canSee(spans, seq)) continue;
    if (delivered !== undefined && delivered.seq >= seq) {
      deliveredCount++;
      if (delivered.at > at) at = delivered.at;
    }
    if (read !== undefined && read.seq >= seq) {
      readCount++;
      if (read.at > at) at = read.at;
    }
  }
  return { chatId, seq, serverMsgId, from, deliveredCount, readCount, at };
}
