import type { Draws } from '../../engine/draws.ts';
import type { Fault } from '../../scenario.ts';
import type { DrawnSituation, SituationSetting } from './situation.ts';
import { crashesSoon, says, smallSystem, upTo } from './small-system.ts';

const ROLES = ['relay', 'relay', 'worker', 'service', 'gateway'] as const;

/**
 * Something is said, and one of the processes on its way dies between two of the effects that it takes there; now and then while
 * a second message service joins, so that both serve the chat.
 */
export function diesInMidStep(draws: Draws, setting: SituationSetting): DrawnSituation {
  const { moment, safetyMicros } = setting;
  const users = 2 + draws.int(2);
  const topology = smallSystem(users, users + draws.int(2), [upTo(users)]);
  const step = draws.pick([0, 500, 3_000])!;
  const ops = upTo(1 + draws.int(3)).map((i) => says(draws, topology, 0, moment + i * step));
  const dies = crashesSoon(draws, setting, `${draws.pick(ROLES)!}-0`);
  if (!draws.perMille(350)) return { topology, limits: {}, ops, faults: [dies] };
  const lasts = 1 + draws.int(safetyMicros - dies.at);
  const joins: Fault = {
    at: dies.at,
    kind: 'misrouting',
    target: 'service',
    for: lasts,
    amount: draws.pick([300, 500, 1_000])!,
  };
  return { topology: { ...topology, services: 2 }, limits: {}, ops, faults: [dies, joins] };
}
