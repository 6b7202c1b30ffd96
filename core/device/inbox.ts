import { doubled } from '../contract/backoff.ts';
import { hasElapsed } from '../contract/elapsed.ts';
import type { ChatId, ConnId } from '../contract/ids.ts';
import { hashText, keyedInt } from '../contract/random.ts';
import { shortList } from '../contract/short-list.ts';
import type { Micros } from '../contract/time.ts';
import type { AckFrame, MessageFrame } from '../wire/frames.ts';
import type { OutboxItem, ShownMessage } from './device-effect.ts';
import { type Device, type Inbox, isUp, newInbox, type Out } from './device-state.ts';

/**
 * The inbox: whatever order and however often messages come, each chat is shown as one sequence, each message once.
 * A message is next when the seq before it (`prev`) is covered by the cursor; what is not next waits, and when its
 * predecessor stays away the device asks SYNC for the hole.
 */

export function onMessage(device: Device, frame: MessageFrame, now: Micros, out: Out): void {
  const inbox = inboxOf(device, frame.chatId);
  if (frame.seq <= inbox.cursor) {
    // Seen before. The gateway does not know that, so it gets its receipt.
    oweReceipt(device, inbox, frame, out);
    return;
  }
  const message: ShownMessage = {
    chatId: frame.chatId,
    seq: frame.seq,
    serverMsgId: frame.serverMsgId,
    from: frame.from,
    fromDevice: frame.fromDevice,
    ciphertext: frame.ciphertext,
    mediaIds: frame.mediaIds,
    sentAt: frame.sentAt,
  };
  accept(device, inbox, message, frame.prev, true, now, out);
}

/** The ACK of an own send is that message's place in the sequence. */
export function onOwnMessage(device: Device, item: OutboxItem, ack: AckFrame, now: Micros, out: Out): void {
  const inbox = inboxOf(device, ack.chatId);
  if (ack.seq <= inbox.cursor) return;
  const message: ShownMessage = {
    chatId: ack.chatId,
    seq: ack.seq,
    serverMsgId: ack.serverMsgId,
    from: device.userId,
    fromDevice: device.deviceId,
    ciphertext: item.ciphertext,
    mediaIds: item.mediaIds,
    sentAt: ack.sentAt ?? now,
  };
  accept(device, inbox, message, ack.seq - 1, false, now, out);
}

function inboxOf(device: Device, chatId: ChatId): Inbox {
  let inbox = device.chats.get(chatId);
  if (inbox === undefined) {
    // A chat that began after WELCOME: everything in it that this user may see is still to come.
    inbox = newInbox(chatId, 0, undefined);
    device.chats.set(chatId, inbox);
  }
  return inbox;
}

function accept(
  device: Device,
  inbox: Inbox,
  message: ShownMessage,
  prev: number,
  pushed: boolean,
  now: Micros,
  out: Out,
): void {
  if (prev > inbox.cursor) {
    hold(device, inbox, message, prev, pushed, now, out);
    return;
  }
  show(device, inbox, message, pushed, out);
  if (inbox.ahead.size === 0) return;
  let next = inbox.ahead.get(inbox.cursor);
  while (next !== undefined) {
    inbox.ahead.delete(inbox.cursor);
    if (next.message.seq > inbox.cursor) show(device, inbox, next.message, next.pushed, out);
    next = inbox.ahead.get(inbox.cursor);
  }
  // What SYNC brought may have overtaken entries that waited for a predecessor this user does not see.
  for (const [key, { message: held }] of inbox.ahead) if (held.seq <= inbox.cursor) inbox.ahead.delete(key);
  inbox.gapSince = now;
}

function hold(
  device: Device,
  inbox: Inbox,
  message: ShownMessage,
  prev: number,
  pushed: boolean,
  now: Micros,
  out: Out,
): void {
  const before = inbox.ahead.get(prev);
  if (!hasHole(inbox)) inbox.gapSince = now;
  if (before === undefined && inbox.ahead.size >= device.limits.deviceAhead) {
    inbox.dropped = Math.max(inbox.dropped, message.seq);
  } else inbox.ahead.set(prev, { message, pushed: pushed || before?.pushed === true });
  armGap(device, device.limits.gapPatience, now, out);
}

/** A message is known to exist that nobody will send by himself: SYNC brings it, unless it comes meanwhile. */
export function noteMissing(device: Device, chatId: ChatId, seq: number, now: Micros, out: Out): void {
  const inbox = inboxOf(device, chatId);
  if (seq <= inbox.cursor) return;
  if (!hasHole(inbox)) inbox.gapSince = now;
  inbox.dropped = Math.max(inbox.dropped, seq);
  armGap(device, device.limits.gapPatience, now, out);
}

/** Unless it is due no later. Where the clock was set back, what looks far off is armed anew. */
function armGap(device: Device, after: number, now: Micros, out: Out): void {
  if (device.gapDue !== undefined && device.gapDue <= now + after) return;
  device.gapDue = (now + after) as Micros;
  out.push({ kind: 'wake', timer: 'gap', after });
}

/** Something above the cursor is known to exist that is not next. */
function hasHole(inbox: Inbox): boolean {
  return inbox.ahead.size > 0 || inbox.dropped > inbox.cursor;
}

function show(device: Device, inbox: Inbox, message: ShownMessage, pushed: boolean, out: Out): void {
  inbox.cursor = message.seq;
  inbox.asks = 0;
  if (message.from !== device.userId) inbox.lastOther = message.serverMsgId;
  out.push({ kind: 'show', message });
  if (pushed) oweReceipt(device, inbox, message, out);
}

export function onGapTimer(device: Device, now: Micros, out: Out): void {
  device.gapDue = undefined;
  const { conn } = device.link;
  let nearest: number | undefined;
  for (const inbox of device.chats.values()) {
    if (!hasHole(inbox)) continue;
    let left = device.limits.gapPatience;
    if (conn !== undefined && isUp(device.link)) {
      if (hasElapsed(inbox.gapSince, patience(device, inbox), now)) ask(device, conn, inbox, now, out);
      left = inbox.gapSince + patience(device, inbox) - now;
    }
    nearest = Math.min(nearest ?? left, left);
  }
  if (nearest !== undefined) armGap(device, nearest, now, out);
}

function ask(device: Device, conn: ConnId, inbox: Inbox, now: Micros, out: Out): void {
  const { chatId, cursor } = inbox;
  inbox.gapSince = now;
  inbox.asks++;
  const frame = { frame: 'SYNC', chatId, afterSeq: cursor, limit: device.limits.syncPage } as const;
  out.push({ kind: 'frame', conn, frame });
}

/**
 * How long a hole waits for its next SYNC. The server keeps a SYNC that it cannot answer yet, so to ask again helps only
 * where it had no room for it; where the path is slow, each one that is repeated makes it slower.
 */
function patience({ limits, seed, deviceId }: Device, { chatId, asks }: Inbox): number {
  if (asks === 0) return limits.gapPatience;
  const half = Math.ceil(doubled(limits.gapPatience, asks, limits.gapPatienceMax) / 2);
  // Those who miss the same message have found out at the same moment.
  return half + keyedInt(seed, hashText(`${deviceId} ${chatId}`), asks, half);
}

// ---------------------------------------------------------------- receipts

function oweReceipt(
  device: Device,
  inbox: Inbox,
  message: Pick<ShownMessage, 'serverMsgId' | 'seq'>,
  out: Out,
): void {
  if (inbox.receipt === undefined) device.unreceipted.push(inbox);
  if (inbox.receipt === undefined || inbox.receipt.seq < message.seq) inbox.receipt = message;
  device.unreceiptedCount++;
  if (device.unreceiptedCount >= device.limits.receiptBatch) flushReceipts(device, out);
  else if (!device.receiptArmed) {
    device.receiptArmed = true;
    out.push({ kind: 'wake', timer: 'receipt', after: device.limits.receiptDelay });
  }
}

export function flushReceipts(device: Device, out: Out): void {
  const { conn } = device.link;
  if (conn === undefined || !isUp(device.link)) return;
  for (const { chatId, receipt } of device.unreceipted) {
    if (receipt === undefined) continue;
    const { serverMsgId } = receipt;
    out.push({ kind: 'frame', conn, frame: { frame: 'RECEIPT', chatId, serverMsgId, type: 'DELIVERED' } });
  }
  owesNone(device);
}

function owesNone(device: Device): void {
  for (const inbox of device.unreceipted) inbox.receipt = undefined;
  device.unreceipted = shortList();
  device.unreceiptedCount = 0;
}

/**
 * The connection is gone: the next RESUME says by its cursors what these receipts would have said. What waits ahead of a
 * hole was sent by the old connection; to name it in a receipt would tell the next one nothing. Nor has the next one been
 * asked for anything.
 */
export function forgetReceipts(device: Device): void {
  owesNone(device);
  for (const inbox of device.chats.values()) {
    inbox.asks = 0;
    for (const [prev, held] of inbox.ahead)
      if (held.pushed) inbox.ahead.set(prev, { ...held, pushed: false });
  }
}
