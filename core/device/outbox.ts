import { doubled } from '../contract/backoff.ts';
import { hasElapsed } from '../contract/elapsed.ts';
import type { ChatId, ClientMsgId } from '../contract/ids.ts';
import type { Micros } from '../contract/time.ts';
import { sendProblem } from '../wire/client-codec.ts';
import { type AckFrame, ERROR_RETRYABLE, type ErrorFrame, type MessageFrame } from '../wire/frames.ts';
import type { OutboxItem } from './device-effect.ts';
import type { DeviceEvent } from './device-event.ts';
import { type Device, isUp, type Out, type Outbox, type Outgoing, type Pause } from './device-state.ts';
import { noteMissing, onOwnMessage } from './inbox.ts';

/**
 * The outbox: a send is durable here first, goes out until it has a final answer, always under the same clientMsgId, and
 * leaves only then. The server makes the repetitions one message.
 */

export function onSend(
  device: Device,
  event: Extract<DeviceEvent, { kind: 'send' }>,
  now: Micros,
  out: Out,
): void {
  const { clientMsgId, chatId, ciphertext, mediaIds } = event;
  const { outbox } = device;
  if (outbox.waiting.has(clientMsgId)) return;
  if (outbox.waiting.size >= device.limits.deviceOutbox) {
    const message = `the outbox holds ${device.limits.deviceOutbox} messages already: wait for some to be sent`;
    out.push({ kind: 'send-failed', clientMsgId, chatId, code: 'overloaded', message });
    return;
  }
  const problem = looksGood(device, event) ? undefined : sendProblem(event, device.limits);
  if (problem !== undefined) {
    const { code, message } = problem;
    out.push({ kind: 'send-failed', clientMsgId, chatId, code, message });
    return;
  }
  const item = { clientMsgId, chatId, ciphertext, mediaIds };
  outbox.waiting.set(clientMsgId, { item, sentAt: undefined, retryAfter: 0, attempts: 0 });
  out.push({ kind: 'outbox-put', item });
  pumpSends(device, now, out);
}

/** Of the usual send nothing is read twice: the client encodes what it is given, and the server refuses by its id what is no base64. */
function looksGood({ chats, limits }: Device, { chatId, ciphertext, mediaIds }: OutboxItem): boolean {
  return mediaIds.length === 0 && ciphertext.length <= limits.ciphertextBytes && chats.has(chatId);
}

/** Sends what has not been sent on this connection, in order, as far as the window allows. */
export function pumpSends(device: Device, now: Micros, out: Out): void {
  const { outbox, link, limits } = device;
  if (outbox.paused !== undefined && isPaused(device, outbox.paused, now, out)) return;
  if (!isUp(link) || outbox.inFlight >= limits.deviceSendWindow || underWay(outbox) === outbox.waiting.size)
    return;
  for (const outgoing of outbox.waiting.values()) {
    if (outgoing.sentAt !== undefined || outbox.stalled.has(outgoing.item.chatId)) continue;
    transmit(device, outgoing, now, out);
    outbox.inFlight++;
    if (outbox.inFlight >= limits.deviceSendWindow) break;
  }
}

function underWay({ inFlight, stalled }: Outbox): number {
  return inFlight + stalled.size;
}

function transmit(device: Device, outgoing: Outgoing, now: Micros, out: Out): void {
  const { limits, link, outbox } = device;
  if (link.conn === undefined) return;
  outgoing.sentAt = now;
  outgoing.retryAfter = doubled(limits.sendRetry, outgoing.attempts, limits.sendRetryMax);
  outgoing.attempts++;
  const { clientMsgId, chatId, ciphertext, mediaIds } = outgoing.item;
  out.push({
    kind: 'frame',
    conn: link.conn,
    frame: { frame: 'SEND', clientMsgId, chatId, ciphertext, mediaIds },
  });
  if (outbox.armed) return;
  outbox.armed = true;
  out.push({ kind: 'wake', timer: 'send', after: limits.sendRetry });
}

function isPaused(device: Device, pause: Pause, now: Micros, out: Out): boolean {
  const { outbox } = device;
  const { since, span } = pause;
  if (hasElapsed(since, span, now)) {
    outbox.paused = undefined;
    return false;
  }
  outbox.armed = true;
  out.push({ kind: 'wake', timer: 'send', after: since + span - now });
  return true;
}

export function onSendTimer(device: Device, now: Micros, out: Out): void {
  const { outbox, link } = device;
  outbox.armed = false;
  if (outbox.paused !== undefined) pumpSends(device, now, out);
  if (outbox.paused !== undefined || !isUp(link) || underWay(outbox) === 0) return;
  stallLate(outbox, now);
  for (const outgoing of outbox.waiting.values())
    if (isLate(outgoing, now)) transmit(device, outgoing, now, out);
  pumpSends(device, now, out);
  if (outbox.armed) return;
  outbox.armed = true;
  out.push({ kind: 'wake', timer: 'send', after: device.limits.sendRetry });
}

function isLate({ sentAt, retryAfter }: Outgoing, now: Micros): boolean {
  return sentAt !== undefined && hasElapsed(sentAt, retryAfter, now);
}

/**
 * The home of a chat may be out of reach while that of others is not, and the window is for all: of a chat that does not
 * answer the first send stays under way, outside of the window, and the others are taken back into the queue.
 */
function stallLate(outbox: Outbox, now: Micros): void {
  const { stalled } = outbox;
  const late = new Set<ChatId>();
  for (const outgoing of outbox.waiting.values()) {
    const { chatId } = outgoing.item;
    if (!stalled.has(chatId) && isLate(outgoing, now)) late.add(chatId);
  }
  if (late.size === 0) return;
  for (const outgoing of outbox.waiting.values()) {
    const { chatId } = outgoing.item;
    if (outgoing.sentAt === undefined || !late.has(chatId)) continue;
    if (stalled.has(chatId)) takeBack(outbox, outgoing);
    else {
      stalled.set(chatId, outgoing);
      outbox.inFlight--;
    }
  }
}

/** A send that was under way is so no more: it is answered, or goes again in its turn. */
function takeBack(outbox: Outbox, outgoing: Outgoing): void {
  if (outgoing.sentAt === undefined) return;
  outgoing.sentAt = undefined;
  const { chatId } = outgoing.item;
  if (outbox.stalled.get(chatId) === outgoing) outbox.stalled.delete(chatId);
  else outbox.inFlight--;
}

/** A new connection knows nothing of what was sent on the old one: all of it goes again. */
export function forgetInFlight(device: Device): void {
  device.outbox.inFlight = 0;
  device.outbox.stalled.clear();
  for (const outgoing of device.outbox.waiting.values()) {
    outgoing.sentAt = undefined;
    outgoing.attempts = 0;
  }
}

export function onAck(device: Device, frame: AckFrame, now: Micros, out: Out): void {
  const outgoing = device.outbox.waiting.get(frame.clientMsgId);
  if (outgoing === undefined) {
    // A second answer to a repeated send. The first may have been a refusal: then the message is not here any more.
    noteMissing(device, frame.chatId, frame.seq, now, out);
    return;
  }
  const { clientMsgId, chatId, serverMsgId, seq } = frame;
  out.push({ kind: 'sent', clientMsgId, chatId, serverMsgId, seq });
  settle(device, outgoing, out);
  onOwnMessage(device, outgoing.item, frame, now, out);
  pumpSends(device, now, out);
}

/** Reading back an own message settles its send: the ACK may have been lost with an earlier connection. */
export function settleOwn(device: Device, frame: MessageFrame, now: Micros, out: Out): void {
  if (frame.clientMsgId === undefined || frame.fromDevice !== device.deviceId || frame.from !== device.userId)
    return;
  const outgoing = device.outbox.waiting.get(frame.clientMsgId);
  if (outgoing === undefined) return;
  const { clientMsgId, chatId, serverMsgId, seq } = frame;
  out.push({ kind: 'sent', clientMsgId, chatId, serverMsgId, seq });
  settle(device, outgoing, out);
  pumpSends(device, now, out);
}

/** Takes a send out of the outbox for good, after the application was told: a crash in between tells it twice, not never. */
function settle(device: Device, outgoing: Outgoing, out: Out): void {
  const { outbox } = device;
  outbox.waiting.delete(outgoing.item.clientMsgId);
  takeBack(outbox, outgoing);
  out.push({ kind: 'outbox-drop', clientMsgId: outgoing.item.clientMsgId });
}

export function onSendError(
  device: Device,
  frame: ErrorFrame,
  clientMsgId: ClientMsgId,
  now: Micros,
  out: Out,
): void {
  const outgoing = device.outbox.waiting.get(clientMsgId);
  if (frame.code === 'rate_limited') {
    holdBack(device, outgoing, (frame.retryAfterMs ?? 0) * 1_000, now, out);
    return;
  }
  if (outgoing === undefined) return;
  if (ERROR_RETRYABLE[frame.code]) {
    // Held back meanwhile: it is sent again in its turn.
    if (outgoing.sentAt === undefined) return;
    if (frame.retryAfterMs !== undefined)
      outgoing.retryAfter = Math.max(outgoing.retryAfter, frame.retryAfterMs * 1000);
    return;
  }
  const failed = { code: frame.code, message: frame.message };
  // Durable before it is told: an app that ends in between must not send again what it called failed.
  out.push({ kind: 'outbox-put', item: { ...outgoing.item, failed } });
  tellFailure(outgoing.item, failed, out);
  settle(device, outgoing, out);
  pumpSends(device, now, out);
}

/**
 * Too fast: nothing more for as long as the server asks, then everything again from the refused send on, in order. The
 * server refuses what stands behind it as well until it comes, so none of that has been taken.
 */
function holdBack(device: Device, refused: Outgoing | undefined, span: number, now: Micros, out: Out): void {
  const { outbox } = device;
  outbox.paused = { since: now, span };
  // What is not under way is held back already, by the refusal of one before it.
  if (refused?.sentAt !== undefined) takeBackFrom(outbox, refused);
  pumpSends(device, now, out);
}

function takeBackFrom(outbox: Outbox, first: Outgoing): void {
  let behind = false;
  for (const outgoing of outbox.waiting.values()) {
    behind ||= outgoing === first;
    if (behind) takeBack(outbox, outgoing);
  }
}

function tellFailure(item: OutboxItem, failed: NonNullable<OutboxItem['failed']>, out: Out): void {
  const { clientMsgId, chatId } = item;
  out.push({ kind: 'send-failed', clientMsgId, chatId, code: failed.code, message: failed.message });
}

/** After a restart: refusals of which the application may not have heard. */
export function tellKeptFailures(device: Device, out: Out): void {
  for (const outgoing of device.outbox.waiting.values()) {
    const { failed } = outgoing.item;
    if (failed === undefined) continue;
    tellFailure(outgoing.item, failed, out);
    settle(device, outgoing, out);
  }
}
