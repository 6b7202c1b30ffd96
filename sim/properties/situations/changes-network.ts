import { HOUR, MINUTE } from '../../../core/contract/time.ts';
import type { Draws } from '../../engine/draws.ts';
import type { Fault, Op, Topology } from '../../scenario.ts';
import type { DrawnSituation, SituationSetting } from './situation.ts';
import { says, smallSystem, upTo } from './small-system.ts';

/** The time zone's network, or a battery that was empty, sets the clock of a telephone by so much. Microseconds. */
const FAR = [1, MINUTE, HOUR, HOUR, HOUR];

/**
 * A telephone changes from one network to the next: its connection is gone without a word, the new network sets its clock, and
 * somebody writes to it. It must notice by itself.
 */
export function changesNetwork(draws: Draws, setting: SituationSetting): DrawnSituation {
  const { moment, reach, safetyMicros } = setting;
  const users = 2 + draws.int(2);
  const chats = upTo(draws.perMille(700) ? 1 : 2).map(() => upTo(users));
  const second = draws.perMille(300);
  const topology = {
    ...smallSystem(users, users + draws.int(2), chats),
    gateways: second ? 2 : 1,
  };
  const device = draws.int(topology.devices);
  const target = `device-${device}`;
  const lasts = 2 * reach + draws.int(Math.floor((safetyMicros - moment) / draws.pick([2, 2, 20])!));
  const set = 1 + draws.int(draws.pick(FAR)!);
  const faults: Fault[] = draws.perMille(500)
    ? [{ at: moment, kind: 'partition-then-move', target, for: lasts, amount: set }]
    : [
        { at: moment, kind: 'half-open', target, for: lasts, amount: 0 },
        {
          at: moment + draws.int(lasts),
          kind: 'clock-step',
          target,
          for: 0,
          amount: draws.perMille(850) ? -set : set,
        },
      ];
  const ops = upTo(2 + draws.int(3)).map((): Op => says(draws, topology, 0, moment + draws.int(lasts)));
  if (draws.perMille(500)) ops.push(...readsOnTheWay(draws, topology, device, moment, lasts));
  return { topology, limits: chats.length > 1 ? { readPage: 1 } : {}, ops, faults };
}

/** He reads what was there before the network went: before his device has noticed, or while it looks for the next one. */
function readsOnTheWay(
  draws: Draws,
  topology: Topology,
  device: number,
  moment: number,
  lasts: number,
): Op[] {
  const ops: Op[] = [];
  for (let chat = 0; chat < topology.chats.length; chat++) {
    const at =
      moment + (draws.perMille(500) ? draws.int(lasts) : lasts - 1 - draws.int(Math.ceil(lasts / 4)));
    ops.push(says(draws, topology, chat, draws.int(moment)), { at, op: 'read', device, chat });
  }
  return ops;
}
