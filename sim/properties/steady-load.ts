import type { Op, Scenario } from '../scenario.ts';
import { Draws } from '../engine/draws.ts';

const USERS = 60;
const CHATS = 60;
const MEMBERS = 6;
const SECOND = 1_000_000;

/**
 * A busy hour in small: every device sends in turn, everybody reads, nothing fails. What a second of the simulator is
 * worth is measured with it, since no fault hides the cost of the usual path.
 * @param sends messages, from 1. They come in about 1,000 a second of virtual time.
 */
export function steadyLoad(seed: number, sends: number): Scenario {
  const draws = new Draws(seed, 1);
  const chats = Array.from({ length: CHATS }, (_, chat) => {
    const size = chat % 2 === 0 ? 2 : MEMBERS;
    return {
      kind: size === 2 ? ('direct' as const) : ('group' as const),
      members: Array.from({ length: size }, (_, i) => (chat + i * 7) % USERS),
    };
  });
  const ops: Op[] = [];
  for (let i = 0; i < sends; i++) {
    const chat = draws.int(CHATS);
    const { members } = chats[chat]!;
    const device = members[draws.int(members.length)]!;
    ops.push({ at: SECOND + i * 1_000, op: 'send', device, chat, bytes: 96 });
    if (i % 4 === 3) ops.push({ at: SECOND + i * 1_000 + 500, op: 'read', device, chat });
  }
  return {
    version: 1,
    seed,
    topology: {
      gateways: 4,
      services: 2,
      relays: 1,
      workers: 2,
      partitions: 8,
      users: USERS,
      devices: USERS,
      chats,
    },
    knobs: { limits: {}, network: 'region', wire: false, safetyMicros: 2 * SECOND + sends * 1_000 },
    ops,
    faults: [],
  };
}
