import type { ConnId, NodeId } from '../../core/contract/ids.ts';
import type { Span } from '../../core/contract/records.ts';
import { type History, NONE } from './history.ts';
import type { Observation } from './observation.ts';
import type { Oracle, Violation } from './oracle.ts';
import { broken } from './violation.ts';
import { lastSeen, nextSeen } from './visible.ts';

const NAME = 'cursors-never-regress';

/** What one connection has been sent, chat by chat: the highest seq so far, or the cursor it resumed from. */
type Sent = Map<number, number>;

/**
 * Promise 7. The stored cursor of a device only rises and never passes what the device shows; a device seen for the first
 * time starts at the last message its user may see. What a connection is sent starts right after the cursor it resumed
 * from and leaves nothing out, and every frame names the right predecessor, so that neither a resume nor a takeover skips;
 * and the newest connection of a device is the one that stays.
 */
export function cursorsNeverRegress(history: History): Oracle {
  /** By pair. */
  const cursors: number[] = [];
  /** By device: the newest connection's. */
  const epochs: number[] = [];
  const connections = new Map<NodeId, Map<ConnId, Sent>>();
  return {
    name: NAME,
    on: {
      'cursor-saved'(o, at) {
        const bad = savedWrong(history, cursors[history.pair] ?? NONE, o, at);
        cursors[history.pair] = o.seq;
        return bad;
      },
      'device-opened'(o) {
        epochs[history.device] = Math.max(epochs[history.device] ?? 0, o.epoch);
        return undefined;
      },
      replaced: (o, at) =>
        o.epoch < (epochs[history.device] ?? Infinity) ? undefined : newestReplaced(history, o.epoch, at),
      'start-cursor': (o, at) => startedWrong(history, cursors[history.pair] ?? NONE, o, at),
      resumed(o, at) {
        const sent: Sent = new Map();
        const those = connections.get(o.gatewayId) ?? new Map<ConnId, Sent>();
        connections.set(o.gatewayId, those.set(o.conn, sent));
        return resumedWrong(history, o, sent, at);
      },
      pushed: (o, at) => pushedWrong(history, connections.get(o.gatewayId)?.get(o.conn), cursors, o, at),
    },
  };
}

/** A takeover that goes the wrong way round leaves the device with nothing. */
function newestReplaced(history: History, epoch: number, at: number): Violation {
  const who = history.nameDevice(history.device);
  const expected = `${who} keeps its newest connection, the one with epoch ${epoch}`;
  return broken(NAME, at, expected, 'that one is told that it was replaced');
}

function savedWrong(
  history: History,
  before: number,
  o: Extract<Observation, { kind: 'cursor-saved' }>,
  at: number,
): Violation | undefined {
  const who = history.nameDevice(history.device);
  if (o.seq < before) {
    return broken(
      NAME,
      at,
      `the stored cursor of ${who} in ${o.chatId} stays at seq ${before} or rises`,
      `seq ${o.seq} is saved`,
    );
  }
  const position = Math.max(history.positions[history.pair]!, history.opened[history.device]! ? 0 : NONE);
  if (position !== NONE) {
    if (o.seq <= position) return undefined;
    return broken(
      NAME,
      at,
      `the stored cursor of ${who} in ${o.chatId} is at most seq ${position}, the last that it shows`,
      `seq ${o.seq} is saved`,
    );
  }
  // Never connected so far: this is the first cursor, given to a device that the store has never seen.
  const first = lastSeen(history.spans[history.seat]!, history.heads[history.chat]!);
  if (o.seq === first) return undefined;
  return broken(
    NAME,
    at,
    `${who}, seen for the first time, starts at seq ${first} of ${o.chatId}`,
    `at seq ${o.seq}`,
  );
}

/** A start that WELCOME gave: it is the stored cursor, which stands still while the device shows nothing. */
function startedWrong(
  history: History,
  stored: number,
  o: Extract<Observation, { kind: 'start-cursor' }>,
  at: number,
): Violation | undefined {
  if (history.positions[history.pair] !== NONE || stored === NONE || o.seq === stored) return undefined;
  const who = history.nameDevice(history.device);
  return broken(
    NAME,
    at,
    `${who} starts in ${o.chatId} at its stored cursor, seq ${stored}`,
    `it starts at seq ${o.seq}`,
  );
}

function resumedWrong(
  history: History,
  o: Extract<Observation, { kind: 'resumed' }>,
  sent: Sent,
  at: number,
): Violation | undefined {
  for (const [chatName, seq] of o.cursors) {
    const chat = history.chatOf(chatName);
    const position = Math.max(0, history.positions[history.pairOf(history.device, chat)]!);
    sent.set(chat, seq);
    if (seq <= position) continue;
    const who = history.nameDevice(history.device);
    return broken(
      NAME,
      at,
      `${who} resumes ${chatName} at seq ${position} or before, the last that it shows`,
      `it resumes at seq ${seq}`,
    );
  }
  return undefined;
}

function pushedWrong(
  history: History,
  sent: Sent | undefined,
  cursors: readonly number[],
  o: Extract<Observation, { kind: 'pushed' }>,
  at: number,
): Violation | undefined {
  if (sent === undefined) {
    const who = history.nameDevice(history.device);
    return broken(
      NAME,
      at,
      `${who} gets no MESSAGE before its RESUME`,
      `${o.gatewayId} sends seq ${o.seq} of ${o.chatId}`,
    );
  }
  const spans = history.spans[history.seat]!;
  // A chat that RESUME did not name starts from the stored cursor, a new one from its beginning.
  // What the device shows already, an earlier connection may have brought; an answer to SYNC goes on behind it.
  const named = sent.get(history.chat) ?? Math.max(0, cursors[history.pair] ?? 0);
  const from = Math.max(named, history.positions[history.pair]!);
  if (o.seq > from) sent.set(history.chat, o.seq);
  return skipped(history, spans, from, o, at) ?? wrongPrev(history, spans, o, at);
}

function skipped(
  history: History,
  spans: readonly Span[],
  from: number,
  o: Extract<Observation, { kind: 'pushed' }>,
  at: number,
): Violation | undefined {
  let next = nextSeen(spans, from);
  // Its own messages a device knows from their ACK; it need not be sent them.
  while (next !== undefined && next < o.seq && isOwn(history, next)) next = nextSeen(spans, next);
  if (next === undefined || o.seq <= next) return undefined;
  const who = history.nameDevice(history.device);
  return broken(
    NAME,
    at,
    `${o.gatewayId} sends ${who} seq ${next} of ${o.chatId} after seq ${from}`,
    `it sends seq ${o.seq} and leaves out ${history.nameSeq(history.chat, next)}`,
  );
}

function wrongPrev(
  history: History,
  spans: readonly Span[],
  o: Extract<Observation, { kind: 'pushed' }>,
  at: number,
): Violation | undefined {
  const prev = lastSeen(spans, o.seq - 1);
  if (o.prev === prev) return undefined;
  const who = history.nameDevice(history.device);
  return broken(
    NAME,
    at,
    `seq ${o.seq} of ${o.chatId} follows seq ${prev} for ${who}`,
    `${o.gatewayId} says that it follows seq ${o.prev}`,
  );
}

function isOwn(history: History, seq: number): boolean {
  const message = history.messageAt[history.chat]![seq];
  const send = message === undefined ? NONE : history.messageSend[message]!;
  return send !== NONE && history.sendDevice[send] === history.device;
}
