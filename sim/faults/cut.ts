import { drawFault } from './draw-fault.ts';
import type { FaultKind } from './fault-kind.ts';
import { forHowLong, linkWords } from './fault-words.ts';
import { drawLink, linkNames } from './link-targets.ts';
import { cutLink } from './take-down.ts';

const TARGETS = 'links';

/**
 * Nothing passes between two nodes. `amount` 0: what devices and gateways send waits
 * and arrives afterwards, as TCP does it; 1: it is lost, and the connection with it. Between nodes it is always
 * lost.
 */
export const cut: FaultKind = {
  kind: 'cut',
  classes: ['network'],
  mayBePermanent: true,
  targets: (topology) => linkNames(topology, TARGETS),
  describe(fault) {
    const fate = fault.amount === 1 ? 'is lost' : 'waits';
    return `between ${linkWords(fault.target)} nothing passes ${forHowLong(fault)}; what is sent ${fate}`;
  },
  draw: (draws, setting) =>
    drawFault('cut', drawLink(draws, setting.topology, TARGETS), draws, setting, draws.int(2)),
  begin: (world, fault) => cutLink(world, fault.target, fault.amount === 1 ? 'lost' : 'held'),
};
