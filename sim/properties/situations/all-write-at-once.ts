import type { Limits } from '../../../core/contract/limits.ts';
import type { Draws } from '../../engine/draws.ts';
import type { Op } from '../../scenario.ts';
import type { DrawnSituation, SituationSetting } from './situation.ts';
import { says, smallSystem, upTo } from './small-system.ts';

/** Within which all is said: at once, within a round trip of a telephone, within several. Microseconds. */
const WITHIN = [1, 20_000, 200_000, 600_000];

/**
 * Everybody answers everybody, on devices that take little at a time and in chats that are ahead of each other: own messages
 * come before those that they follow, windows are full, and SYNC brings what a push has not.
 */
export function allWriteAtOnce(draws: Draws, setting: SituationSetting): DrawnSituation {
  const { limits, moment, safetyMicros } = setting;
  const users = 2 + draws.int(2);
  const groups = upTo(1 + draws.int(2)).map((i) => (i === 0 || draws.perMille(500) ? upTo(users) : [1, 0]));
  const topology = smallSystem(users, users + draws.int(users + 1), groups);
  const rest = safetyMicros - moment;
  const within = Math.min(rest, draws.pick(WITHIN)!);
  const said = (from: number): Op =>
    says(draws, topology, draws.int(groups.length), moment + draws.int(from));
  const burst = upTo(5 + draws.int(10)).map(() => said(within));
  const ops = [...burst, ...upTo(draws.int(3)).map(() => said(Math.min(rest, 4 * limits.gapPatience)))];
  return { topology, limits: littleAtATime(draws, limits), ops, faults: [] };
}

/** Small windows; and receipts that a device keeps for a while, to save its battery, keep them shut for longer. */
function littleAtATime(draws: Draws, { gapPatience, receiptDelay }: Limits): DrawnSituation['limits'] {
  return {
    inFlightMessages: draws.pick([1, 1, 1, 2])!,
    ...(draws.perMille(500) ? { ownAhead: draws.pick([1, 2])! } : {}),
    receiptDelay: draws.perMille(700) ? Math.floor(gapPatience / draws.pick([2, 4, 8])!) : receiptDelay,
  };
}
