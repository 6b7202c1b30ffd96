import { doubled } from '../contract/backoff.ts';
import type { ChatId, ConnId } from '../contract/ids.ts';
import { hashText, keyedInt } from '../contract/random.ts';
import type { Micros } from '../contract/time.ts';
import { CLOSE_CODE, type GoawayFrame, type WelcomeFrame } from '../wire/frames.ts';
import type { DeviceStatus } from './device-effect.ts';
import { type Device, newInbox, type Out } from './device-state.ts';
import { forgetReceipts } from './inbox.ts';
import { forgetInFlight, pumpSends } from './outbox.ts';
import { beginReads, forgetReads, sayReads } from './reads.ts';
import { choosePath, missed, reached, wantsWebSocket } from './transport.ts';

/** One live connection at a time; a new one, with full jitter, whenever it ends for a reason that may pass. */

export function onStart(device: Device, now: Micros, out: Out): void {
  if (device.link.stage !== 'stopped') return;
  device.link.failures = 0;
  device.link.replacements = 0;
  device.link.offences = 0;
  connect(device, now, out);
}

export function onStop(device: Device, now: Micros, out: Out): void {
  drop(device, CLOSE_CODE.normal, out);
  device.link.stage = 'stopped';
  say(device, 'stopped', now, out);
}

function connect(device: Device, now: Micros, out: Out): void {
  const { link } = device;
  const conn = link.nextConn++ as ConnId;
  link.conn = conn;
  link.stage = 'connecting';
  link.heardAt = now;
  const transport = choosePath(device.path, device.limits, now);
  out.push(
    { kind: 'connect', conn, transport },
    { kind: 'wake', timer: 'connect', after: device.limits.connectTimeout },
  );
  say(device, 'connecting', now, out);
}

export function onConnected(device: Device, now: Micros): void {
  device.link.heardAt = now;
}

/** The connection is gone, whoever ended it: forget what was under way on it, and come back later. */
export function onClosed(device: Device, code: number, now: Micros, out: Out): void {
  // Coming back at once to do the same again would help nobody.
  if (code === CLOSE_CODE.abuse) device.link.offences++;
  noteMiss(device, undefined, now);
  retire(device);
  waitToReconnect(device, backoff(device), 'offline', now, out);
}

export function onRefused(device: Device, status: number, now: Micros, out: Out): void {
  if (status !== 401) {
    noteMiss(device, status, now);
    retire(device);
    waitToReconnect(device, backoff(device), 'offline', now, out);
    return;
  }
  // Trying again with the same token cannot help: the application must `start` with another.
  retire(device);
  device.link.stage = 'stopped';
  say(device, 'unauthenticated', now, out);
}

export function onConnectTimeout(device: Device, now: Micros, out: Out): void {
  if (device.link.stage !== 'connecting') return;
  noteMiss(device, undefined, now);
  drop(device, CLOSE_CODE.normal, out);
  waitToReconnect(device, backoff(device), 'offline', now, out);
}

/** A connection that has not reached WELCOME: perhaps something on the way does not let its transport through. */
function noteMiss(device: Device, status: number | undefined, now: Micros): void {
  if (device.link.stage === 'connecting') missed(device.path, device.limits, status, now);
}

export function onReconnect(device: Device, now: Micros, out: Out): void {
  const { stage } = device.link;
  // Still connected: a GOAWAY asked to move elsewhere at this moment.
  if (stage === 'live' || stage === 'resuming' || stage === 'connecting')
    drop(device, CLOSE_CODE.normal, out);
  else if (stage !== 'waiting') return;
  connect(device, now, out);
}

/** Full jitter over an exponentially growing range. */
function backoff(device: Device): number {
  const { limits, link } = device;
  const range = doubled(limits.reconnectBase, Math.max(link.failures, link.offences), limits.reconnectMax);
  link.failures++;
  const asked = link.retryAfter;
  link.retryAfter = 0;
  return asked + jitter(device, range);
}

function jitter(device: Device, range: number): number {
  return keyedInt(
    device.seed,
    hashText(device.deviceId),
    device.link.nextConn,
    Math.max(1, Math.floor(range)),
  );
}

function waitToReconnect(device: Device, after: number, status: DeviceStatus, now: Micros, out: Out): void {
  device.link.stage = 'waiting';
  out.push({ kind: 'wake', timer: 'reconnect', after });
  say(device, status, now, out);
}

/** Ends the current connection from our side. */
function drop(device: Device, code: number, out: Out): void {
  const { conn } = device.link;
  if (conn !== undefined) out.push({ kind: 'disconnect', conn, code });
  retire(device);
}

function retire(device: Device): void {
  device.link.conn = undefined;
  device.refused.clear();
  forgetInFlight(device);
  forgetReceipts(device);
  forgetReads(device);
}

function say(device: Device, status: DeviceStatus, now: Micros, out: Out): void {
  if (device.link.status === status) return;
  device.link.status = status;
  out.push({ kind: 'status', status, at: now });
}

// ---------------------------------------------------------------- frames of the connection's life

/** Chats that this device knows nothing of start where the server says; the rest start where this device stands. */
export function onWelcome(device: Device, conn: ConnId, frame: WelcomeFrame, now: Micros, out: Out): void {
  if (device.link.stage !== 'connecting') return;
  reached(device.path);
  const behind: (readonly [ChatId, number])[] = [];
  const ahead: (readonly [ChatId, number])[] = [];
  const listed = new Set<ChatId>();
  for (const { chatId, cursor } of frame.chats) {
    listed.add(chatId);
    const inbox = device.chats.get(chatId);
    if (inbox === undefined) {
      const begun = newInbox(chatId, cursor, undefined);
      begun.listed = conn;
      device.chats.set(chatId, begun);
      out.push({ kind: 'cursor', chatId, seq: cursor });
      continue;
    }
    inbox.listed = conn;
    if (inbox.cursor < cursor) behind.push([chatId, inbox.cursor]);
    else if (inbox.cursor > cursor) ahead.push([chatId, inbox.cursor]);
  }
  // The chats of a shard that does not answer are missing, and join the session later.
  for (const { chatId, cursor } of device.chats.values())
    if (!listed.has(chatId)) ahead.push([chatId, cursor]);
  // Only what the server does not know, and no more than one frame holds. What must be named comes first; a chat that
  // is ahead and not named is merely replayed from further back, and what was seen is dropped.
  const cursors = [...behind, ...ahead].slice(0, device.limits.resumeCursors);
  device.link.stage = 'resuming';
  device.link.heartbeat = frame.heartbeatMs * 1000;
  out.push(
    { kind: 'frame', conn, frame: { frame: 'RESUME', cursors } },
    { kind: 'wake', timer: 'heartbeat', after: device.link.heartbeat },
  );
  say(device, 'resuming', now, out);
  pumpSends(device, now, out);
}

export function onSynced(device: Device, conn: ConnId, now: Micros, out: Out): void {
  if (device.link.stage !== 'resuming') return;
  device.link.stage = 'live';
  device.link.failures = 0;
  out.push({ kind: 'synced' });
  say(device, 'live', now, out);
  for (const chatId of device.open) out.push({ kind: 'frame', conn, frame: { frame: 'OPEN', chatId } });
  // The answer to a PING that is under way says nothing of what follows it.
  device.link.pingedAt = undefined;
  beginReads(device, conn, out);
}

export function onGoaway(device: Device, frame: GoawayFrame, now: Micros, out: Out): void {
  switch (frame.reason) {
    case 'drain':
      // The gateway goes on serving until we leave, at a time of its choosing so that not all leave at once.
      out.push({ kind: 'wake', timer: 'reconnect', after: frame.reconnectAfterMs * 1000 });
      break;
    case 'replaced':
      onReplaced(device, now, out);
      break;
    case 'slow_consumer':
    case 'auth_expired':
      drop(device, CLOSE_CODE.normal, out);
      waitToReconnect(device, backoff(device), 'offline', now, out);
      break;
  }
}

/**
 * Another connection of this device took over. Usually it is another run of the application, which should keep it; but it
 * may be an own earlier attempt that a slow gateway completed late, and that nobody uses. So: come back, but late.
 */
function onReplaced(device: Device, now: Micros, out: Out): void {
  const { limits, link } = device;
  drop(device, CLOSE_CODE.normal, out);
  const range = doubled(limits.reconnectMax, link.replacements, 32 * limits.reconnectMax);
  link.replacements++;
  waitToReconnect(device, range + jitter(device, range), 'replaced', now, out);
}

export function onHeartbeat(device: Device, now: Micros, out: Out): void {
  const { conn, heartbeat, stage } = device.link;
  if (conn === undefined || (stage !== 'live' && stage !== 'resuming')) return;
  // A clock that was set back proves nothing, and must not postpone the end of a dead connection: count from here.
  if (now < device.link.heardAt) device.link.heardAt = now;
  if (now - device.link.heardAt >= device.limits.silence) {
    drop(device, CLOSE_CODE.silent, out);
    waitToReconnect(device, backoff(device), 'offline', now, out);
    return;
  }
  if (stage === 'live') {
    device.link.replacements = 0;
    device.link.offences = 0;
    if (device.outbox.inFlight === 0 && wantsWebSocket(device.path, device.limits, now)) {
      onReconnect(device, now, out);
      return;
    }
  }
  if (stage === 'live') sayReads(device, conn, out);
  device.link.pingedAt = now;
  out.push(
    { kind: 'frame', conn, frame: { frame: 'PING', t: now } },
    { kind: 'wake', timer: 'heartbeat', after: heartbeat },
  );
}
