import type { ReceiptRecord } from '../contract/records.ts';
import { canSee } from '../sequencing/membership.ts';
import type { Out, Session } from './session-state.ts';

/**
 * Receipts of others on their way to a device. One is told when the message it speaks of has been sent to the device, and
 * not before SYNCED; until then it waits. What the user may not see is thus never told of, whoever announced it.
 */

/** @returns whether the device has been sent, or wrote, the message that the receipt speaks of. */
export function mayTell(session: Session, receipt: ReceiptRecord): boolean {
  const view = session.chats.get(receipt.chatId);
  if (view === undefined || receipt.seq > view.pushed) return false;
  // Without spans (a chat that began after WELCOME) everything that was pushed is visible.
  return view.spans.length === 0 || canSee(view.spans, receipt.seq);
}

export function tell(session: Session, receipt: ReceiptRecord, out: Out): void {
  out.push({ kind: 'frame', conn: session.conn, frame: { frame: 'RECEIPT', ...receipt } });
}

/** Keeps a receipt; a later one of the same user takes its place. @returns false when `most` wait already. */
export function waitWith(session: Session, receipt: ReceiptRecord, most: number): boolean {
  const others = session.receipts.filter(
    (r) => r.chatId !== receipt.chatId || r.userId !== receipt.userId || r.type !== receipt.type,
  );
  if (others.length >= most) return false;
  session.receipts = [...others, receipt];
  return true;
}

/** Tells of what has waited for a message that was sent meanwhile. */
export function tellReceipts(session: Session, out: Out): void {
  if (!session.synced || session.receipts.length === 0) return;
  const waiting: ReceiptRecord[] = [];
  for (const receipt of session.receipts) {
    if (mayTell(session, receipt)) tell(session, receipt, out);
    else waiting.push(receipt);
  }
  session.receipts = waiting;
}
