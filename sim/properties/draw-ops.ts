import type { Draws } from '../engine/draws.ts';
import type { Op, Topology } from '../scenario.ts';
import { type Moments, nearMoment } from './moments.ts';

/** What users may do in a run; a swarm leaves some of it out altogether. */
export interface OpMix {
  readonly reads: boolean;
  readonly screens: boolean;
  readonly typing: boolean;
  readonly switching: boolean;
  readonly members: boolean;
  /** Who writes has the chat on screen, mostly, as people do. */
  readonly looks: boolean;
  /** Some say several things at once in the first chat, and mostly it grows meanwhile. */
  readonly growth: boolean;
}

type Turn = (draws: Draws, topology: Topology, at: number) => Op;

export interface OpSize {
  readonly count: number;
  readonly safetyMicros: number;
  /** How long a device that is switched off for a moment stays away at most, microseconds. */
  readonly blink: number;
  readonly moments: Moments;
}

/** Draws `count` operations below `safetyMicros`, or a few more, in no order. Some come in bursts, as people do. */
export function drawOps(draws: Draws, topology: Topology, mix: OpMix, size: OpSize): Op[] {
  const { safetyMicros } = size;
  const turns = turnsOf(mix);
  const ops: Op[] = [];
  let burstAt = 0;
  let burstLeft = 0;
  let monologue = false;
  let last: Op | undefined;
  if (mix.growth) {
    ops.push(...growingBurst(draws, topology, size));
    // What is said later brings what was missed before.
    if (draws.perMille(500)) return ops;
  }
  while (ops.length < size.count) {
    if (burstLeft === 0) {
      burstAt = nearMoment(draws, size.moments, safetyMicros, draws.int(safetyMicros));
      burstLeft = draws.perMille(400) ? 1 + draws.int(8) : 1;
      monologue = draws.perMille(300);
      last = undefined;
    }
    burstLeft--;
    // Within a burst: a few milliseconds, or none.
    const at = Math.min(safetyMicros - 1, burstAt + draws.int(4) * 500);
    const goesOn = monologue && last?.op === 'send';
    last = goesOn ? { ...last!, at } : turns[draws.int(turns.length)]!(draws, topology, at);
    if (mix.looks && last.op === 'send' && !goesOn && draws.perMille(700))
      ops.push({
        at: Math.max(0, at - 1 - draws.int(500)),
        op: 'open',
        device: last.device,
        chat: last.chat,
      });
    ops.push(last);
    if (mix.switching && last.op === 'send' && draws.perMille(200))
      ops.push(leftAsItComes(draws, topology, last, size));
    if (last.op === 'offline' && draws.perMille(500)) ops.push(backSoon(draws, last, size));
    // Out, something is said, in again: who comes back must not see it.
    if (last.op === 'remove-member' && draws.perMille(400))
      ops.push(...takenBack(draws, topology, last, size));
  }
  return ops;
}

/** Within what a commit takes, within what a receipt takes, and beyond. Microseconds. */
const STEPS = [0, 500, 2_000, 8_000, 30_000];

/** One or two write, several things, and between the first and the last of them somebody comes in. */
function growingBurst(draws: Draws, topology: Topology, size: OpSize): Op[] {
  const { safetyMicros, moments } = size;
  const chat = 0;
  const { members } = topology.chats[chat]!;
  const begin = nearMoment(draws, moments, safetyMicros, draws.int(safetyMicros));
  const step = draws.perMille(300) ? draws.int(moments.spread) : draws.pick(STEPS)!;
  const user = Array.from({ length: topology.users }, (_, i) => i).find((i) => !members.includes(i));
  const from = draws.int(members.length);
  // Who only reads and who only writes are taken for inactive for reasons of their own.
  const other = draws.perMille(450) ? 0 : 1 + draws.int(Math.max(1, members.length - 1));
  const [first, second] = [from, from + other].map((place) => members[place % members.length]!);
  const devices = [
    ...Array.from({ length: 1 + draws.int(3) }, () => first!),
    ...Array.from({ length: 1 + draws.int(3) }, () => second!),
  ];
  const joins = user === undefined ? undefined : draws.perMille(300) ? 0 : draws.int(devices.length);
  const at = (turn: number): number => Math.min(safetyMicros - 1, begin + turn * step);
  return devices.flatMap((device, i): Op[] => {
    const said: Op = { at: at(2 * i + 1), op: 'send', device, chat, bytes: 1 };
    const joined: Op = { at: at(2 * i), op: 'add-member', by: members[0]!, user: user ?? 0, chat };
    return i === joins ? [joined, said] : [said];
  });
}

type MemberOp = Op & { readonly op: 'add-member' | 'remove-member' };

function takenBack(draws: Draws, topology: Topology, out: MemberOp, size: OpSize): Op[] {
  const { chat, user } = out;
  const owner = topology.chats[chat]!.members[0]!;
  const step = 1 + draws.int(2 * size.moments.spread);
  const time = (steps: number): number => Math.min(size.safetyMicros - 1, out.at + steps * step);
  const said: Op = { at: time(1), op: 'send', device: deviceFor(draws, topology, chat), chat, bytes: 1 };
  return [said, { at: time(2), op: 'add-member', by: owner, user, chat }, { ...said, at: time(3) }];
}

/** Somebody leaves while what is said is on its way to him. */
function leftAsItComes(
  draws: Draws,
  topology: Topology,
  said: Op & { readonly op: 'send' },
  size: OpSize,
): Op {
  const at = Math.min(size.safetyMicros - 1, said.at + 300 + draws.int(2_500));
  return { at, op: 'offline', device: deviceFor(draws, topology, said.chat) };
}

/** Off and soon on again: a reconnect. */
function backSoon(draws: Draws, off: Op & { readonly op: 'offline' | 'online' }, size: OpSize): Op {
  const away = 1 + Math.floor((draws.int(1_000) * size.blink) / 1_000);
  return { at: Math.min(size.safetyMicros - 1, off.at + away), op: 'online', device: off.device };
}

/** Weights by repetition: most of what people do is to write. */
function turnsOf(mix: OpMix): Turn[] {
  const turns: Turn[] = [send, send, send, send, send, send];
  if (mix.reads) turns.push(read, read);
  if (mix.screens) turns.push(openOrClose, openOrClose);
  if (mix.typing) turns.push(typing);
  if (mix.switching) turns.push(switchDevice, switchDevice);
  if (mix.members) turns.push(changeMember, changeMember);
  return turns;
}

/** A device of somebody who was in the chat from the start, now and then of a stranger. */
function deviceFor(draws: Draws, topology: Topology, chat: number): number {
  if (draws.perMille(60)) return draws.int(topology.devices);
  const { members } = topology.chats[chat]!;
  const user = members[draws.int(members.length)]!;
  const rounds = Math.ceil((topology.devices - user) / topology.users);
  return rounds <= 0 ? draws.int(topology.devices) : user + topology.users * draws.int(rounds);
}

const send: Turn = (draws, topology, at) => {
  const chat = draws.int(topology.chats.length);
  const bytes = draws.perMille(100) ? 1_000 + draws.int(4_000) : 1 + draws.int(60);
  return { at, op: 'send', device: deviceFor(draws, topology, chat), chat, bytes };
};

const read: Turn = (draws, topology, at) => {
  const chat = draws.int(topology.chats.length);
  return { at, op: 'read', device: deviceFor(draws, topology, chat), chat };
};

const openOrClose: Turn = (draws, topology, at) => {
  const chat = draws.int(topology.chats.length);
  return { at, op: draws.perMille(700) ? 'open' : 'close', device: deviceFor(draws, topology, chat), chat };
};

const typing: Turn = (draws, topology, at) => {
  const chat = draws.int(topology.chats.length);
  return { at, op: 'typing', device: deviceFor(draws, topology, chat), chat };
};

const switchDevice: Turn = (draws, topology, at) => {
  return { at, op: draws.perMille(500) ? 'offline' : 'online', device: draws.int(topology.devices) };
};

const changeMember: Turn = (draws, topology, at) => {
  const chat = draws.int(topology.chats.length);
  const { members } = topology.chats[chat]!;
  // The owner may; others try as well. Leaving is removing oneself.
  const by = draws.perMille(800) ? members[0]! : draws.int(topology.users);
  const what = draws.int(1_000);
  const user = draws.perMille(500) ? draws.int(topology.users) : members[draws.int(members.length)]!;
  if (what >= 500) return { at, op: 'remove-member', by, user, chat };
  const added: Op = { at, op: 'add-member', by, user, chat };
  return what < 150 ? { ...added, role: 'admin' } : added;
};
