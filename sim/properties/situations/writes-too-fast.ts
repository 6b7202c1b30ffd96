import type { Draws } from '../../engine/draws.ts';
import type { Op } from '../../scenario.ts';
import type { DrawnSituation, SituationSetting } from './situation.ts';
import { smallSystem, upTo } from './small-system.ts';

/** A token comes back within one burst of typing, or within one round trip. Microseconds. */
const INTERVALS = [300, 1_000, 4_000, 30_000];

/**
 * Somebody pastes twenty lines, on one device or on two: some sends find a token and some do not, and one comes back while
 * others are on their way. What is said in a chat is to keep its order.
 */
export function writesTooFast(draws: Draws, { moment, safetyMicros }: SituationSetting): DrawnSituation {
  const users = 2;
  const groups = upTo(1 + draws.int(2)).map(() => upTo(users));
  const topology = smallSystem(users, users + draws.int(3), groups);
  const interval = draws.pick(INTERVALS)!;
  const whose = draws.perMille(500) ? 'device' : 'user';
  const burst = 1 + draws.int(3);
  const ops: Op[] = [];
  let at = moment;
  for (let left = 3 + draws.int(10); left > 0; left--) {
    // About as fast as tokens come back.
    at = Math.min(safetyMicros - 1, at + draws.int(2 * interval));
    const device = draws.perMille(800) || topology.devices < 3 ? 0 : users;
    ops.push({ at, op: 'send', device, chat: draws.int(groups.length), bytes: 1 + draws.int(20) });
  }
  const limits =
    whose === 'device'
      ? { deviceSendInterval: interval, deviceSendBurst: burst }
      : { userSendInterval: interval, userSendBurst: burst };
  return { topology, limits, ops, faults: [] };
}
