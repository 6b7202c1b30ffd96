import type { ReceiptCountFrame } from '../wire/frames.ts';
import type { Device, Out } from './device-state.ts';

/** Counts come on several ways, and an older one may come later: what was told is never taken back. */
export function onReceiptCount(device: Device, frame: ReceiptCountFrame, out: Out): void {
  const inbox = device.chats.get(frame.chatId);
  // What has been forgotten cannot be compared any more, and a repeat of it may be older than what was told.
  if (inbox === undefined || frame.seq <= inbox.countsForgotten) return;
  inbox.counts ??= new Map<number, ReceiptCountFrame>();
  const { counts } = inbox;
  const before = counts.get(frame.seq);
  if (
    before !== undefined &&
    frame.deliveredCount <= before.deliveredCount &&
    frame.readCount <= before.readCount
  )
    return;
  const count = {
    ...frame,
    deliveredCount: Math.max(frame.deliveredCount, before?.deliveredCount ?? 0),
    readCount: Math.max(frame.readCount, before?.readCount ?? 0),
  };
  counts.set(frame.seq, count);
  if (counts.size > device.limits.countedMessages) {
    inbox.countsForgotten = Math.min(...counts.keys());
    counts.delete(inbox.countsForgotten);
    if (frame.seq <= inbox.countsForgotten) return;
  }
  out.push({ kind: 'receipt-count', count });
}
