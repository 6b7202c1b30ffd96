import type { Draws } from '../../engine/draws.ts';
import type { Op } from '../../scenario.ts';
import { NEVER } from '../../world/looks.ts';
import type { DrawnSituation, SituationSetting } from './situation.ts';
import { says, smallSystem, upTo } from './small-system.ts';

/** Within what a commit takes, within what a receipt takes, and beyond. Microseconds. */
const STEPS = [0, 500, 1_000, 2_000, 8_000, 30_000];

/** Somebody joins in the midst of what is being said, and with him the group is huge: from now on members who are inactive pull. */
export function growsHuge(draws: Draws, { moment, reach, safetyMicros }: SituationSetting): DrawnSituation {
  const users = 3 + draws.int(3);
  const members = upTo(users - 1).map((i) => (i + 1) % users);
  const topology = smallSystem(users, users + draws.int(3), [members]);
  const step = draws.pick(STEPS)!;
  const at = (time: number): number => Math.min(safetyMicros - 1, moment + time);
  const before = 1 + draws.int(3);
  const turns = before + 1 + draws.int(2);
  // The service hears of it at once, and of what is said when it has come there.
  const joins = (2 * before - 1) * step + draws.int(1 + reach);
  const joined: Op = { at: at(joins), op: 'add-member', by: members[0]!, user: 0, chat: 0 };
  const alone = draws.perMille(600) ? says(draws, topology, 0, 0) : undefined;
  const said = upTo(turns).map(
    (i): Op => ({ ...(alone ?? says(draws, topology, 0, 0)), at: at(2 * i * step) }),
  );
  // Now and then only a look finds what nobody was told.
  const looks = draws.perMille(300) ? {} : { headCheck: NEVER, openHeadCheck: NEVER };
  return {
    topology,
    limits: {
      receiptMembers: draws.between(1, users),
      hugeGroup: members.length,
      activeDistance: draws.pick([1, 1, 1, 2])!,
      ...looks,
    },
    ops: [joined, ...said],
    faults: [],
  };
}
