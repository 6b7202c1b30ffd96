import type { History } from './history.ts';
import { NONE } from './history.ts';
import { nextSeen } from './visible.ts';

/** @returns in words what served devices still wait for, at most `limit` entries; empty when everybody has everything. */
export function owed(history: History, limit: number): string[] {
  if (!history.healed) return ['the faults have not healed yet'];
  const found: string[] = [];
  for (let device = 0; device < history.deviceNames.length && found.length < limit; device++) {
    if (!history.served[device]!) continue;
    if (!history.live[device]!) found.push(`${history.nameDevice(device)} waits for a connection`);
    owedMessages(history, device, limit, found);
  }
  if (history.openSends > 0) owedAnswers(history, limit, found);
  return found;
}

function owedMessages(history: History, device: number, limit: number, found: string[]): void {
  const user = history.deviceUser[device]!;
  if (user === NONE) return;
  for (const seat of history.userSeats[user]!) {
    if (found.length >= limit) return;
    const chat = history.seatChat[seat]!;
    const seq = owedSeq(history, device, seat);
    if (seq === undefined) continue;
    const position = Math.max(0, history.positions[history.pairOf(device, chat)]!);
    found.push(
      `${history.nameDevice(device)} waits for ${history.nameSeq(chat, seq)}; it has shown up to seq ${position}`,
    );
  }
}

/** @returns the next seq the device must get in the chat of this seat of its user; undefined when it has them all. */
export function owedSeq(history: History, device: number, seat: number): number | undefined {
  const chat = history.seatChat[seat]!;
  const position = history.positions[history.pairOf(device, chat)]!;
  // A device that was never connected starts from the head when it comes; it is owed a connection only.
  if (position === NONE && !history.opened[device]!) return undefined;
  const next = nextSeen(history.spans[seat]!, Math.max(0, position));
  return next !== undefined && next <= history.heads[chat]! ? next : undefined;
}

function owedAnswers(history: History, limit: number, found: string[]): void {
  for (let send = 0; send < history.sendNames.length && found.length < limit; send++) {
    const device = history.sendDevice[send]!;
    if (device === NONE || history.sendEnded[send]! || !history.served[device]!) continue;
    if (showsIt(history, send, device)) continue;
    const chat = history.chatNames[history.sendChat[send]!]!;
    found.push(`${history.nameDevice(device)} waits for the ACK of ${history.sendNames[send]!} in ${chat}`);
  }
}

/** A device that crashed as it took the ACK finds its message in the chat: that is an answer too. */
function showsIt(history: History, send: number, device: number): boolean {
  const message = history.sendMessage[send]!;
  if (message === NONE) return false;
  const pair = history.pairOf(device, history.messageChat[message]!);
  return history.positions[pair]! >= history.messageSeq[message]!;
}
