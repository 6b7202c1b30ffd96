import type { Draws } from '../../engine/draws.ts';
import type { Fault, Op } from '../../scenario.ts';
import type { DrawnSituation, SituationSetting } from './situation.ts';
import { says, smallSystem, upTo } from './small-system.ts';

/** From one change to the next: within what a write takes, and beyond. Microseconds. */
const STEPS = [0, 500, 2_000, 8_000, 30_000];

/**
 * The owner has made somebody an admin, and then everybody changes who is in the group at once: those two, members who may
 * not, and somebody who is not in it; who is let in writes. Two services hear of it, and each may believe what the other has changed already.
 */
export function membersDisagree(draws: Draws, setting: SituationSetting): DrawnSituation {
  const { moment, safetyMicros } = setting;
  const users = 3 + draws.int(3);
  const topology = { ...smallSystem(users, users, [upTo(users - 1)]), services: 2 };
  const step = draws.pick(STEPS)!;
  const at = (turn: number): number =>
    Math.min(safetyMicros - 1, moment + turn * step + draws.int(1 + Math.floor(step / 2)));
  const ops: Op[] = [
    { at: Math.floor(moment / 2), op: 'add-member', by: 0, user: 1, chat: 0, role: 'admin' },
  ];
  // Some look on, and see who comes.
  for (const device of upTo(draws.int(3)))
    ops.push({ at: Math.floor(moment / 2) + device, op: 'open', device, chat: 0 });
  for (let turn = 3 + draws.int(6); turn > 0; turn--) {
    const change = { at: at(2 * turn), by: draws.int(users), user: draws.int(users), chat: 0 };
    if (draws.perMille(500)) ops.push({ ...change, op: 'remove-member' });
    else ops.push({ ...change, op: 'add-member', role: draws.perMille(400) ? 'admin' : 'member' });
    // Who has just come in has something to say, and a service that has not heard of him hears that.
    if (draws.perMille(400))
      ops.push({ at: at(2 * turn + 1), op: 'send', device: change.user, chat: 0, bytes: 8 });
    else if (draws.perMille(500)) ops.push(says(draws, topology, 0, at(2 * turn + 1)));
  }
  const misrouting: Fault = {
    at: 0,
    kind: 'misrouting',
    target: 'service',
    for: safetyMicros,
    amount: 500,
  };
  const faults: Fault[] = draws.perMille(800) ? [misrouting] : [];
  // Nobody knows of some changes whether they were made.
  if (draws.perMille(300))
    faults.push({
      at: moment,
      kind: 'store-unknown',
      target: 'store',
      for: safetyMicros - moment,
      amount: 300,
    });
  return { topology, limits: {}, ops, faults };
}
