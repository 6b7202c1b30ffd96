import type { Draws } from '../../engine/draws.ts';
import type { DrawnSituation, SituationSetting } from './situation.ts';
import { crashesSoon, says, smallSystem, upTo } from './small-system.ts';

const ROLES = ['relay', 'relay', 'worker', 'service', 'gateway'] as const;

/** Something is said, and one of the processes on its way dies between two of the effects that it takes there. */
export function diesInMidStep(draws: Draws, setting: SituationSetting): DrawnSituation {
  const users = 2 + draws.int(2);
  const topology = smallSystem(users, users + draws.int(2), [upTo(users)]);
  const step = draws.pick([0, 500, 3_000])!;
  const ops = upTo(1 + draws.int(3)).map((i) => says(draws, topology, 0, setting.moment + i * step));
  return { topology, limits: {}, ops, faults: [crashesSoon(draws, setting, `${draws.pick(ROLES)!}-0`)] };
}
