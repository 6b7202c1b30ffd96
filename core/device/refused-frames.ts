import type { ErrorFrame } from '../wire/frames.ts';
import type { Device, Out } from './device-state.ts';
import { onReadRefused, sayReadAgain } from './reads.ts';

/**
 * What the server refused for its rate, and what is not sent again by itself: a READ, and which chats are on screen. What
 * is said after the pause is what is true by then. A new connection is told everything anyway. SYNC has a timer of its own,
 * PING and TYPING are not worth it.
 */
export function onFrameError(device: Device, frame: ErrorFrame, out: Out): void {
  const { code, retryAfterMs, chatId, refusedFrame } = frame;
  if (retryAfterMs === undefined) return;
  const pause = retryAfterMs * 1_000;
  if (device.link.stage === 'connecting') {
    device.link.retryAfter = pause;
    return;
  }
  if (code !== 'rate_limited' || chatId === undefined) return;
  if (refusedFrame !== 'RECEIPT' && refusedFrame !== 'OPEN' && refusedFrame !== 'CLOSE') return;
  if (device.refused.size === 0) out.push({ kind: 'wake', timer: 'refused', after: pause });
  if (refusedFrame === 'RECEIPT') onReadRefused(device, chatId);
  const about = refusedFrame === 'RECEIPT' ? 'RECEIPT' : 'screen';
  device.refused.set(`${about} ${chatId}`, { frame: refusedFrame, chatId });
}

export function sayAgain(device: Device, out: Out): void {
  const { conn, stage } = device.link;
  const refused = [...device.refused.values()];
  device.refused.clear();
  if (conn === undefined || stage !== 'live') return;
  for (const { frame, chatId } of refused) {
    if (frame === 'RECEIPT') sayReadAgain(device, chatId, conn, out);
    else {
      const name = device.open.has(chatId) ? 'OPEN' : 'CLOSE';
      out.push({ kind: 'frame', conn, frame: { frame: name, chatId } });
    }
  }
}
