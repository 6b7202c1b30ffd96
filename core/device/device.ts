import { assertNever } from '../contract/assert.ts';
import type { ConnId, DeviceId, UserId } from '../contract/ids.ts';
import type { Limits } from '../contract/limits.ts';
import { shortList } from '../contract/short-list.ts';
import type { Micros } from '../contract/time.ts';
import type { ServerFrame } from '../wire/frames.ts';
import {
  onClosed,
  onConnected,
  onConnectTimeout,
  onGoaway,
  onHeartbeat,
  onReconnect,
  onRefused,
  onStart,
  onStop,
  onSynced,
  onWelcome,
} from './connection.ts';
import type { DeviceDisk } from './device-disk.ts';
import type { DeviceEffect } from './device-effect.ts';
import type { DeviceEvent, DeviceTimer } from './device-event.ts';
import { type Device, isUp, newInbox, type Out } from './device-state.ts';
import { flushReceipts, onGapTimer, onMessage } from './inbox.ts';
import { onPong, onRead } from './reads.ts';
import { onReceiptCount } from './receipt-counts.ts';
import { onFrameError, sayAgain } from './refused-frames.ts';
import { newPath, type TransportChoice } from './transport.ts';
import { onAck, onSend, onSendError, onSendTimer, settleOwn, tellKeptFailures } from './outbox.ts';

/**
 * @param options.disk what the device kept from earlier runs; `emptyDisk()` for a new one.
 * @param options.transport WebSocket alone unless it says otherwise.
 */
export function createDevice(options: {
  readonly userId: UserId;
  readonly deviceId: DeviceId;
  readonly limits: Limits;
  readonly seed: number;
  readonly disk: DeviceDisk;
  readonly transport?: TransportChoice;
}): Device {
  return {
    userId: options.userId,
    deviceId: options.deviceId,
    limits: options.limits,
    seed: options.seed,
    link: {
      stage: 'stopped',
      status: 'stopped',
      conn: undefined,
      nextConn: 1,
      failures: 0,
      retryAfter: 0,
      replacements: 0,
      offences: 0,
      heardAt: 0 as Micros,
      pingedAt: undefined,
      heartbeat: options.limits.heartbeat,
    },
    path: newPath(options.transport ?? 'websocket'),
    outbox: {
      waiting: new Map(
        options.disk.outbox.map((item) => [
          item.clientMsgId,
          { item, sentAt: undefined, retryAfter: 0, attempts: 0 },
        ]),
      ),
      inFlight: 0,
      stalled: new Map(),
      armed: false,
      paused: undefined,
    },
    chats: new Map(options.disk.cursors.map(([chatId, seq, last]) => [chatId, newInbox(chatId, seq, last)])),
    unreceipted: [],
    unreceiptedCount: 0,
    receiptArmed: false,
    reads: { due: [], repeated: [] },
    gapDue: undefined,
    open: new Set(),
    refused: new Map(),
  };
}

/** Runs one event through the device. `now` is the device's own clock. @returns effects, to be carried out in order. */
export function stepDevice(device: Device, event: DeviceEvent, now: Micros): readonly DeviceEffect[] {
  const out: Out = shortList();
  switch (event.kind) {
    case 'frame':
      if (event.conn === device.link.conn) {
        device.link.heardAt = now;
        onFrame(device, event.conn, event.frame, now, out);
      }
      break;
    case 'wake':
      onWake(device, event.timer, now, out);
      break;
    case 'send':
      onSend(device, event, now, out);
      break;
    case 'read':
      onRead(device, event.chatId, out);
      break;
    case 'open':
      device.open.add(event.chatId);
      whenLive(device, { frame: 'OPEN', chatId: event.chatId }, out);
      break;
    case 'close':
      device.open.delete(event.chatId);
      whenLive(device, { frame: 'CLOSE', chatId: event.chatId }, out);
      break;
    case 'typing':
      whenLive(device, { frame: 'TYPING', chatId: event.chatId }, out);
      break;
    case 'connected':
      if (event.conn === device.link.conn) onConnected(device, now);
      break;
    case 'closed':
      if (event.conn === device.link.conn) onClosed(device, event.code, now, out);
      break;
    case 'refused':
      if (event.conn === device.link.conn) onRefused(device, event.status, now, out);
      break;
    case 'start':
      tellKeptFailures(device, out);
      onStart(device, now, out);
      break;
    case 'stop':
      onStop(device, now, out);
      break;
    default:
      assertNever(event);
  }
  return out;
}

function whenLive(device: Device, frame: Extract<DeviceEffect, { kind: 'frame' }>['frame'], out: Out): void {
  const { conn } = device.link;
  if (device.link.stage === 'live' && conn !== undefined) out.push({ kind: 'frame', conn, frame });
}

function onFrame(device: Device, conn: ConnId, frame: ServerFrame, now: Micros, out: Out): void {
  switch (frame.frame) {
    case 'MESSAGE':
      settleOwn(device, frame, now, out);
      onMessage(device, frame, now, out);
      break;
    case 'ACK':
      onAck(device, frame, now, out);
      break;
    case 'RECEIPT':
      if (frame.userId === undefined) onReceiptCount(device, frame, out);
      else out.push({ kind: 'receipt', receipt: frame });
      break;
    case 'WELCOME':
      onWelcome(device, conn, frame, now, out);
      break;
    case 'SYNCED':
      onSynced(device, conn, now, out);
      break;
    case 'PRESENCE':
      out.push({ kind: 'presence', presence: frame });
      break;
    case 'TYPING':
      out.push({ kind: 'typing', typing: frame });
      break;
    case 'PING':
      if (isUp(device.link)) out.push({ kind: 'frame', conn, frame: { frame: 'PONG', t: frame.t } });
      break;
    case 'ERROR':
      if (frame.clientMsgId !== undefined) onSendError(device, frame, frame.clientMsgId, now, out);
      else onFrameError(device, frame, out);
      break;
    case 'GOAWAY':
      onGoaway(device, frame, now, out);
      break;
    case 'PONG':
      onPong(device, conn, frame);
      break;
    case 'SYNC_END':
      break; // What SYNC brought has been handled message by message.
    default:
      assertNever(frame);
  }
}

function onWake(device: Device, timer: DeviceTimer, now: Micros, out: Out): void {
  switch (timer) {
    case 'connect':
      onConnectTimeout(device, now, out);
      break;
    case 'reconnect':
      onReconnect(device, now, out);
      break;
    case 'heartbeat':
      onHeartbeat(device, now, out);
      break;
    case 'send':
      onSendTimer(device, now, out);
      break;
    case 'gap':
      onGapTimer(device, now, out);
      break;
    case 'receipt':
      device.receiptArmed = false;
      flushReceipts(device, out);
      break;
    case 'refused':
      sayAgain(device, out);
      break;
    default:
      assertNever(timer);
  }
}
