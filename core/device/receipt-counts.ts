import type { ReceiptCountFrame } from '../wire/frames.ts';
import type { Device, Out } from './device-state.ts';

/** Counts come on several ways, and an older one may come later: what was told is never taken back. */
export function onReceiptCount(device: Device, frame: ReceiptCountFrame, out: Out): void {
  const inbox = device.chats.get(frame.chatId);
  if (inbox === undefined) return;
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
  if (counts.size > device.limits.countedMessages) counts.delete(Math.min(...counts.keys()));
  out.push({ kind: 'receipt-count', count });
}
