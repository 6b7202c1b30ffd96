import { drawFault } from './draw-fault.ts';
import type { FaultKind } from './fault-kind.ts';
import { deviceNames, insideLinks, processNames } from './fault-targets.ts';
import { forHowLong, linkWords } from './fault-words.ts';
import { endsOf, nothing } from './take-down.ts';
import type { Topology } from '../scenario.ts';

const FACTORS = [2, 5, 20, 100, 1_000];

function targets(topology: Topology): string[] {
  return [...insideLinks(topology), ...deviceNames(topology), ...processNames(topology)];
}

/** What passes between two nodes, or between one and everybody, takes `amount` times as long. */
export const slowLink: FaultKind = {
  kind: 'slow-link',
  classes: ['network'],
  mayBePermanent: false,
  targets,
  describe(fault) {
    return `between ${linkWords(fault.target)} everything takes ${fault.amount} times as long ${forHowLong(fault)}`;
  },
  draw(draws, setting) {
    return drawFault(
      'slow-link',
      targets(setting.topology),
      draws,
      setting,
      FACTORS[draws.int(FACTORS.length)]!,
    );
  },
  begin(world, fault) {
    const ends = endsOf(world, fault.target);
    if (ends === undefined) return nothing;
    const there = world.network.slowDown(ends[0], ends[1], Math.max(1, fault.amount));
    const back = world.network.slowDown(ends[1], ends[0], Math.max(1, fault.amount));
    return () => {
      there();
      back();
    };
  },
};
