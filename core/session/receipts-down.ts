import type { ReceiptCount, ReceiptRecord } from '../contract/records.ts';
import { canSee } from '../sequencing/membership.ts';
import type { Out, Session } from './session-state.ts';

/**
 * Receipts of others on their way to a device, one by one or, in large chats, counted. One is told when the message it
 * speaks of has been sent to the device, and not before SYNCED; until then it waits. What the user may not see is thus
 * never told of, whoever announced it.
 */
export type ReceiptNews = ReceiptRecord | ReceiptCount;

/** @returns whether the device has been sent, or wrote, the message that the receipt speaks of. */
export function mayTell(session: Session, receipt: Pick<ReceiptNews, 'chatId' | 'seq'>): boolean {
  const view = session.chats.get(receipt.chatId);
  if (view === undefined || receipt.seq > view.pushed) return false;
  // Without spans (a chat that began after WELCOME) everything that was pushed is visible.
  return view.spans.length === 0 || canSee(view.spans, receipt.seq);
}

export function tell(session: Session, news: ReceiptNews, out: Out): void {
  const { conn } = session;
  if ('userId' in news) {
    out.push({ kind: 'frame', conn, frame: { frame: 'RECEIPT', ...news } });
    return;
  }
  const { chatId, seq, serverMsgId, deliveredCount, readCount, at } = news;
  const type = readCount > 0 ? 'READ' : 'DELIVERED';
  const counts = { deliveredCount, readCount };
  out.push({
    kind: 'frame',
    conn,
    frame: { frame: 'RECEIPT', chatId, serverMsgId, seq, type, at, ...counts },
  });
}

/** Keeps a receipt; a later one of the same user, or count of the same message, takes its place. @returns false when `most` wait already. */
export function waitWith(session: Session, news: ReceiptNews, most: number): boolean {
  const others = session.receipts.filter((other) => !isSame(other, news));
  if (others.length >= most) return false;
  session.receipts = [...others, news];
  return true;
}

function isSame(a: ReceiptNews, b: ReceiptNews): boolean {
  if (a.chatId !== b.chatId) return false;
  if ('userId' in a) return 'userId' in b && a.userId === b.userId && a.type === b.type;
  return !('userId' in b) && a.seq === b.seq;
}

/** Tells of what has waited for a message that was sent meanwhile. */
export function tellReceipts(session: Session, out: Out): void {
  if (!session.synced || session.receipts.length === 0) return;
  const waiting: ReceiptNews[] = [];
  for (const receipt of session.receipts) {
    if (mayTell(session, receipt)) tell(session, receipt, out);
    else waiting.push(receipt);
  }
  session.receipts = waiting;
}
