import { drawFault } from './draw-fault.ts';
import type { FaultKind } from './fault-kind.ts';
import { forHowLong, linkWords } from './fault-words.ts';
import { drawLink, linkNames } from './link-targets.ts';
import { endsOf, nothing } from './take-down.ts';

const FACTORS = [2, 5, 20, 100, 1_000];

const TARGETS = 'nodes';

/** What passes between two nodes, or between one and everybody, takes `amount` times as long. */
export const slowLink: FaultKind = {
  kind: 'slow-link',
  classes: ['network'],
  mayBePermanent: true,
  targets: (topology) => linkNames(topology, TARGETS),
  describe(fault) {
    return `between ${linkWords(fault.target)} everything takes ${fault.amount} times as long ${forHowLong(fault)}`;
  },
  draw(draws, setting) {
    return drawFault(
      'slow-link',
      drawLink(draws, setting.topology, TARGETS),
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
