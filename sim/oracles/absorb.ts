import { isCurrent } from '../../core/sequencing/membership.ts';
import { type History, NONE } from './history.ts';
import type { Observation, Seen } from './observation.ts';

type Kind = Observation['kind'];

/** Makes the resolved observation part of the past. Most of what is seen leaves the tables as they are. */
export const ABSORBERS: { readonly [K in Kind]?: (history: History, o: Seen<K>, at: number) => void } = {
  send(history, _, at) {
    const { send } = history;
    history.sendDevice[send] = history.device;
    history.sendChat[send] = history.chat;
    if (history.sentAt[send] === NONE) history.openSends++;
    history.sentAt[send] = at;
  },
  'send-failed'(history) {
    endSend(history);
    history.sendFailed[history.send] = true;
  },
  acked(history, o) {
    endSend(history);
    history.acked[history.message] = true;
    bind(history, o.seq);
  },
  committed(history, { message: { seq } }) {
    history.committed[history.message] = true;
    if (seq > history.heads[history.chat]!) history.heads[history.chat] = seq;
    bind(history, seq);
  },
  'start-cursor'(history, o) {
    if (history.starts[history.pair] === NONE) history.starts[history.pair] = o.seq;
    history.positions[history.pair] = o.seq;
  },
  shown(history, o) {
    if (history.starts[history.pair] === NONE) history.starts[history.pair] = 0;
    history.positions[history.pair] = o.seq;
  },
  member(history, { member: { spans } }, at) {
    if (isCurrent(spans) && !isCurrent(history.spans[history.seat] ?? []))
      history.joinedAt[history.seat] = at;
    history.spans[history.seat] = spans;
  },
  resumed(history) {
    history.opened[history.device] = true;
  },
  'device-live'(history, o, at) {
    if (o.live) history.opened[history.device] = true;
    if (history.live[history.device] !== o.live) setLive(history, o.live, at);
  },
  fault: (history, o, at) => history.noteFaults(o, at),
  healed(history, o, at) {
    history.healed = true;
    history.healedAt = at;
    // What stays broken for ever excuses nobody: whoever is served is owed everything.
    history.suspended = [];
    for (const name of o.served) history.served[history.deviceOf(name, undefined)] = true;
    for (const name of o.heard) history.heard[history.deviceOf(name, undefined)] = true;
  },
};

function bind(history: History, seq: number): void {
  const { message, send, chat } = history;
  history.messageChat[message] = chat;
  history.messageSeq[message] = seq;
  history.messageAt[chat]![seq] = message;
  history.sendMessage[send] = message;
  history.messageSend[message] = send;
}

function endSend(history: History): void {
  if (history.sentAt[history.send] !== NONE && !history.sendEnded[history.send]!) history.openSends--;
  history.sendEnded[history.send] = true;
}

function setLive(history: History, live: boolean, at: number): void {
  const { device, user } = history;
  history.live[device] = live;
  history.liveSince[device] = at;
  const count = history.liveDevices[user]! + (live ? 1 : -1);
  history.liveDevices[user] = count;
  if (live && count === 1) history.onlineSince[user] = at;
  if (!live && count === 0) history.offlineSince[user] = at;
}
