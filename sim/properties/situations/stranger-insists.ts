import type { Draws } from '../../engine/draws.ts';
import type { Op } from '../../scenario.ts';
import type { DrawnSituation, SituationSetting } from './situation.ts';
import { says, smallSystem } from './small-system.ts';

/** From one send to the next: within a read of the chat, and beyond. Microseconds. */
const PAUSES = [500, 5_000, 30_000];

/** Somebody writes to a chat that he is not in, again and again, while its members go on talking; perhaps they let him in. */
export function strangerInsists(draws: Draws, { moment, safetyMicros }: SituationSetting): DrawnSituation {
  const users = 3;
  const topology = smallSystem(users, users + draws.int(2), [[0, 1]]);
  const pause = draws.pick(PAUSES)!;
  const ops: Op[] = [];
  let at = moment;
  for (let left = 6 + draws.int(12); left > 0; left--) {
    at = Math.min(safetyMicros - 1, at + draws.int(2 * pause));
    ops.push({ at, op: 'send', device: 2, chat: 0, bytes: 1 + draws.int(20) });
    if (draws.perMille(200)) ops.push(says(draws, topology, 0, at));
    if (draws.perMille(50)) ops.push({ at, op: 'add-member', by: 0, user: 2, chat: 0, role: 'member' });
  }
  return { topology, limits: { strangerBurst: draws.pick([1, 2, 4])! }, ops, faults: [] };
}
