import type { Draws } from '../../engine/draws.ts';
import type { Fault, Op } from '../../scenario.ts';
import type { DrawnSituation, SituationSetting } from './situation.ts';
import { says, smallSystem, upTo } from './small-system.ts';

/** What a session takes to open and to be replayed to, beside the ways of its frames. Microseconds. */
const OPENING = 4_000;

/**
 * Somebody in the underground: his device is away, is told a part of what it has missed, is away again, and comes back.
 * What it has begun there nobody waits for any more.
 */
export function comesAndGoes(draws: Draws, setting: SituationSetting): DrawnSituation {
  const { moment, reach, safetyMicros } = setting;
  const users = 2 + draws.int(2);
  const topology = smallSystem(users, users + draws.int(2), [upTo(users)]);
  const device = draws.int(topology.devices);
  const away = draws.pick([1, 2, 4])! * (reach + OPENING);
  // Mostly gone again before all is said.
  const there = OPENING * draws.pick([1, 4, 16])!;
  const ops: Op[] = [];
  let at = moment;
  for (let left = 2 + draws.int(3); left > 0; left--) {
    ops.push({ at, op: 'offline', device });
    const said = 1 + draws.int(3);
    ops.push(...upTo(said).map(() => says(draws, topology, 0, at + draws.int(away / 2))));
    at += draws.int(away);
    ops.push({ at, op: 'online', device });
    at += 4 * reach + draws.int(there);
  }
  const end = safetyMicros - 1;
  const slow: Fault = {
    at: moment,
    kind: 'store-slow',
    target: 'store',
    for: Math.min(at, end) - moment,
    amount: draws.pick([5, 20])!,
  };
  return {
    topology,
    limits: draws.perMille(800) ? { gatewayFetches: 1, fetchPage: draws.between(1, 2) } : {},
    ops: ops.map((op) => ({ ...op, at: Math.min(op.at, end) })),
    faults: draws.perMille(700) ? [slow] : [],
  };
}
