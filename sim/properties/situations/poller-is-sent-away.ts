import type { Draws } from '../../engine/draws.ts';
import type { Fault } from '../../scenario.ts';
import type { DrawnSituation, SituationSetting } from './situation.ts';
import { says, smallSystem, upTo } from './small-system.ts';

/** A device that polls has more to get than one response holds, and just then its session ends. */
export function pollerIsSentAway(draws: Draws, setting: SituationSetting): DrawnSituation {
  const { moment, reach, safetyMicros } = setting;
  const users = 2 + draws.int(2);
  const topology = {
    ...smallSystem(users, users + draws.int(2), [upTo(users)]),
    gateways: 1 + draws.int(2),
  };
  const within = 1 + draws.pick([0, 1_000, 3 * reach])!;
  const ops = upTo(4 + draws.int(8)).map(() => ({
    ...says(draws, topology, 0, moment + draws.int(within)),
    bytes: draws.between(500, 5_000),
  }));
  const target = `device-${draws.int(topology.devices)}`;
  const at = moment + draws.int(3 * reach + within);
  const lasts = 1 + draws.int(Math.floor((safetyMicros - at) / 2));
  const faults: Fault[] = draws.perMille(700)
    ? [{ at, kind: 'token-expires', target, for: lasts, amount: lasts }]
    : [{ at, kind: 'drain', target: 'gateway-0', for: lasts, amount: 0 }];
  return {
    topology,
    transports: draws.pick([['poll'], ['poll'], ['poll', 'websocket']] as const)!,
    limits: { socketBufferBytes: 16_000, pollResponseBytes: draws.pick([1, 500, 2_000])! },
    ops,
    faults,
  };
}
