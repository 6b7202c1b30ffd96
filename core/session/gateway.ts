import { assertNever } from '../contract/assert.ts';
import type { ConnId, NodeId } from '../contract/ids.ts';
import type { Limits } from '../contract/limits.ts';
import { shortList } from '../contract/short-list.ts';
import type { Micros } from '../contract/time.ts';
import { newPresenceBoard, onPresence, onPresenceHint, onPresenceWake } from '../presence/presence-board.ts';
import { onBadFrame, onClientFrame } from './client-frames.ts';
import type { GatewayEffect } from './gateway-effect.ts';
import type { GatewayEvent, GatewayTimer } from './gateway-event.ts';
import { newHugeChats } from './huge-state.ts';
import { onCounted, onHeads, onHeadsTimer, recount } from './huge-chats.ts';
import { onRegistryChanged, onRenewed, onRenewTimer } from './lease-renewal.ts';
import { onPush } from './pushes.ts';
import { onReceiptsTimer } from './receipts-down.ts';
import { onFetched } from './replay.ts';
import { onReply } from './replies.ts';
import { endSession, onDrain, onDrainEnd, onEvict } from './session-end.ts';
import { onChats, onClaimed, onDeviceOpened, onOpen } from './session-opening.ts';
import { newGatewayRates } from './rates-state.ts';
import type { Gateway, Out, Session } from './session-state.ts';
import { newStoreLoss } from './store-loss.ts';
import { onBuffered, onPolled, onSessionRetry, onSessionTimer } from './session-timers.ts';

/**
 * A gateway: holds the connections of devices, brings what they send to the message service, and pushes to each device
 * every message it may see, per chat in order, at most a window ahead of its receipts. It keeps nothing that must
 * survive it.
 */
export function createGateway(options: {
  readonly nodeId: NodeId;
  readonly region: string;
  readonly limits: Limits;
  readonly seed: number;
}): Gateway {
  return {
    nodeId: options.nodeId,
    region: options.region,
    limits: options.limits,
    seed: options.seed,
    sessions: new Map(),
    byUser: new Map(),
    nextCall: 1,
    reads: 0,
    readQueue: new Set(),
    presence: newPresenceBoard(),
    rates: newGatewayRates(options.limits),
    huge: newHugeChats(),
    store: newStoreLoss(),
    renewArmed: false,
    draining: false,
  };
}

/** Runs one event through the gateway. `now` is this node's clock. @returns effects, to be carried out in order. */
export function stepGateway(gateway: Gateway, event: GatewayEvent, now: Micros): readonly GatewayEffect[] {
  const out: Out = shortList();
  switch (event.kind) {
    case 'push':
      onPush(gateway, event.push, now, out);
      break;
    case 'frame':
      onClientFrame(gateway, gateway.sessions.get(event.conn), event.frame, now, out);
      break;
    case 'reply':
      onReply(gateway, event.reply, now, out);
      break;
    case 'fetched':
      onFetched(gateway, event.conn, event.call, event.result, now, out);
      break;
    case 'open':
      onOpen(gateway, event, now, out);
      break;
    case 'device-opened':
      onDeviceOpened(gateway, gateway.sessions.get(event.conn), event.result, now, out);
      break;
    case 'claimed':
      onClaimed(gateway, gateway.sessions.get(event.conn), event.result, now, out);
      break;
    case 'chats':
      onChats(gateway, event.conn, event.result, now, out);
      break;
    case 'closed':
    case 'polled':
    case 'bad-frame':
    case 'buffered':
      onConnection(gateway, gateway.sessions.get(event.conn), event, now, out);
      break;
    case 'renewed':
      onRenewed(gateway, event.conns, event.outcomes, now, out);
      break;
    case 'registry-changed':
      onRegistryChanged(gateway, now, out);
      break;
    case 'heads':
      onHeads(gateway, event.result, now, out);
      break;
    case 'counted':
      onCounted(gateway, gateway.sessions.get(event.conn), event.chatId, event.result, now, out);
      break;
    case 'evict':
      onEvict(gateway, event.userId, event.deviceId, event.epoch, now, out);
      break;
    case 'presence':
      onPresence(gateway, event.readings, now, out);
      break;
    case 'presence-hint':
      onPresenceHint(gateway, event.userId, out);
      break;
    case 'wake':
      onWake(gateway, event.timer, event.conn, now, out);
      break;
    case 'drain':
      onDrain(gateway, out);
      break;
    default:
      assertNever(event);
  }
  return out;
}

/** What the shell tells of a connection, besides its frames. Of a session that has ended meanwhile it is nobody's. */
function onConnection(
  gateway: Gateway,
  session: Session | undefined,
  event: Extract<GatewayEvent, { kind: 'closed' | 'polled' | 'bad-frame' | 'buffered' }>,
  now: Micros,
  out: Out,
): void {
  if (session === undefined) return;
  switch (event.kind) {
    case 'closed':
      endSession(gateway, session, now, out);
      break;
    case 'polled':
      onPolled(session, now);
      break;
    case 'bad-frame':
      onBadFrame(gateway, session, event.code, event.message, now, out, event.clientMsgId);
      break;
    case 'buffered':
      onBuffered(gateway, session, event.bytes, now, out);
      break;
    default:
      assertNever(event);
  }
}

function onWake(
  gateway: Gateway,
  timer: GatewayTimer,
  conn: ConnId | undefined,
  now: Micros,
  out: Out,
): void {
  switch (timer) {
    case 'renew':
      onRenewTimer(gateway, out);
      break;
    case 'presence':
      onPresenceWake(gateway, now, out);
      recount(gateway, out);
      break;
    case 'heads':
      onHeadsTimer(gateway, now, out);
      break;
    case 'drain-end':
      onDrainEnd(gateway, now, out);
      break;
    case 'session':
    case 'receipts':
    case 'retry':
      if (conn !== undefined) onSessionWake(gateway, gateway.sessions.get(conn), timer, now, out);
      break;
    default:
      assertNever(timer);
  }
}

/** The timer of a session that has ended meanwhile is nobody's. */
function onSessionWake(
  gateway: Gateway,
  session: Session | undefined,
  timer: 'session' | 'receipts' | 'retry',
  now: Micros,
  out: Out,
): void {
  if (session === undefined) return;
  switch (timer) {
    case 'session':
      onSessionTimer(gateway, session, now, out);
      break;
    case 'receipts':
      onReceiptsTimer(gateway, session, out);
      break;
    case 'retry':
      onSessionRetry(gateway, session, now, out);
      break;
    default:
      assertNever(timer);
  }
}
