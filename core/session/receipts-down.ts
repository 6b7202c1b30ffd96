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
export function mayTell(session: Session, receipt: ReceiptNews): boolean {
  const view = session.chats.get(receipt.chatId);
  if (view === undefined || receipt.seq > view.pushed) return false;
  // Counts come to who wrote the message; the spans known here may be older than his coming back.
  if (!('userId' in receipt)) return true;
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

/**
 * Keeps a receipt, in the place of what waits of the same user, or of the counts of the same message: the one that says
 * more, since pushes may come out of order. @returns false when `most` wait already.
 */
export function waitWith(session: Session, news: ReceiptNews, most: number): boolean {
  const others = session.receipts.filter((other) => !isSame(other, news));
  const before = session.receipts.find((other) => isSame(other, news));
  if (others.length >= most) return false;
  session.receipts = [...others, before === undefined || saysMore(news, before) ? news : before];
  return true;
}

function saysMore(news: ReceiptNews, before: ReceiptNews): boolean {
  if ('userId' in news || 'userId' in before) return news.seq >= before.seq;
  return news.deliveredCount + news.readCount >= before.deliveredCount + before.readCount;
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
