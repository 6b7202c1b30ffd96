import { drawFault } from './draw-fault.ts';
import type { FaultKind } from './fault-kind.ts';
import { deviceLinks, insideLinks } from './fault-targets.ts';
import { forHowLong, linkWords } from './fault-words.ts';
import { cutLink } from './take-down.ts';
import type { Topology } from '../scenario.ts';

function targets(topology: Topology): string[] {
  return [...insideLinks(topology), ...deviceLinks(topology)];
}

/**
 * Nothing passes between two nodes. `amount` 0: what devices and gateways send waits
 * and arrives afterwards, as TCP does it; 1: it is lost, and the connection with it. Between nodes it is always
 * lost.
 */
export const cut: FaultKind = {
  kind: 'cut',
  classes: ['network'],
  mayBePermanent: false,
  targets,
  describe(fault) {
    const fate = fault.amount === 1 ? 'is lost' : 'waits';
    return `between ${linkWords(fault.target)} nothing passes ${forHowLong(fault)}; what is sent ${fate}`;
  },
  draw: (draws, setting) => drawFault('cut', targets(setting.topology), draws, setting, draws.int(2)),
  begin: (world, fault) => cutLink(world, fault.target, fault.amount === 1 ? 'lost' : 'held'),
};
