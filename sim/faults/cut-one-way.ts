import { drawFault } from './draw-fault.ts';
import type { FaultKind } from './fault-kind.ts';
import { forHowLong, linkWords } from './fault-words.ts';
import { drawLink, linkNames } from './link-targets.ts';
import { endsOf, nothing } from './take-down.ts';

const TARGETS = 'links-and-nodes';

/** One direction passes, the other does not. `amount` 1: from the second (or everybody) to the first; 0: the other way round. */
export const cutOneWay: FaultKind = {
  kind: 'cut-one-way',
  classes: ['network'],
  mayBePermanent: true,
  targets: (topology) => linkNames(topology, TARGETS),
  describe(fault) {
    const way = fault.amount === 1 ? 'towards' : 'from';
    const first = fault.target.split('~')[0] ?? fault.target;
    return `between ${linkWords(fault.target)} nothing passes ${way} ${first} ${forHowLong(fault)}`;
  },
  draw: (draws, setting) =>
    drawFault('cut-one-way', drawLink(draws, setting.topology, TARGETS), draws, setting, draws.int(2)),
  begin(world, fault) {
    const ends = endsOf(world, fault.target);
    if (ends === undefined) return nothing;
    const [one, other] = ends;
    return fault.amount === 1
      ? world.network.block(other, one, 'lost')
      : world.network.block(one, other, 'lost');
  },
};
