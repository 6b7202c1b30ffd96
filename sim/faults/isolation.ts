import { drawFault } from './draw-fault.ts';
import type { FaultKind } from './fault-kind.ts';
import { processNames } from './fault-targets.ts';
import { forHowLong } from './fault-words.ts';
import { cutLink } from './take-down.ts';

/** A node is cut off from everybody, goes on working, and does not know it. */
export const isolation: FaultKind = {
  kind: 'isolation',
  classes: ['network'],
  mayBePermanent: true,
  targets: processNames,
  describe: (fault) => `${fault.target} is cut off from everybody ${forHowLong(fault)}`,
  draw: (draws, setting) => drawFault('isolation', processNames(setting.topology), draws, setting, 0),
  begin: (world, fault) => cutLink(world, fault.target, 'lost'),
};
