import type { Draws } from '../../engine/draws.ts';
import type { Fault } from '../../scenario.ts';
import type { DrawnSituation, SituationSetting } from './situation.ts';
import { crashesSoon, says, smallSystem, upTo } from './small-system.ts';

const SHARES = [300, 500, 700, 1_000];

/** A message has more recipients than one publish takes, and the relay dies before the queue has all of them. */
export function publishedInParts(draws: Draws, setting: SituationSetting): DrawnSituation {
  const users = 3 + draws.int(2);
  const topology = smallSystem(users, users + draws.int(2), [upTo(users)]);
  const ops = upTo(1 + draws.int(2)).map(() => says(draws, topology, 0, setting.moment));
  const publishEvents = draws.pick([1, 1, 2])!;
  const alone = draws.perMille(500);
  return {
    topology,
    limits: alone ? { publishEvents, relayPublishes: 1 } : { publishEvents },
    ops,
    faults: draws.perMille(400) ? [crashesSoon(draws, setting, 'relay-0')] : refusedAndDead(draws, setting),
  };
}

/** The queue refuses some of them, or does not say what became of them, and the relay dies before it has repeated those. */
function refusedAndDead(draws: Draws, { limits, moment, reach, safetyMicros }: SituationSetting): Fault[] {
  const kind = draws.pick(['queue-failing', 'queue-failing', 'queue-unknown'])!;
  const from = Math.max(0, moment + draws.int(1 + reach));
  const dies = moment + reach + 1 + draws.int(limits.relayRetry + reach);
  const away = draws.int(3 * limits.relayRetry);
  return [
    { at: from, kind, target: 'queue', for: dies - from, amount: draws.pick(SHARES)! },
    { at: dies, kind: 'crash', target: 'relay-0', for: Math.min(away, safetyMicros - dies), amount: 0 },
  ];
}
