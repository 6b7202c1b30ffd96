import type { Draws } from '../../engine/draws.ts';
import type { DrawnSituation, SituationSetting } from './situation.ts';
import { says, smallSystem, upTo } from './small-system.ts';

/** Somebody on a train: his device is at one gateway and then at another, and back, and they hear of that too late. */
export function movesAround(
  draws: Draws,
  { limits, moment, safetyMicros }: SituationSetting,
): DrawnSituation {
  const users = 2 + draws.int(2);
  const topology = { ...smallSystem(users, users + draws.int(2), [upTo(users)]), gateways: 2 };
  const rest = safetyMicros - moment;
  // So that it is back before the next time.
  const lasts = Math.min(rest - 1, limits.reconnectBase * draws.between(2, 12));
  const late = Math.ceil((lasts * draws.pick([250, 500, 1_000])!) / 1_000);
  return {
    topology,
    limits: {},
    ops: upTo(draws.int(4)).map(() => says(draws, topology, 0, moment + draws.int(lasts))),
    faults: [
      {
        at: moment,
        kind: 'late-claim',
        target: `device-${draws.int(topology.devices)}`,
        for: lasts,
        amount: late,
      },
    ],
  };
}
