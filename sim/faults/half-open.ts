import { drawFault } from './draw-fault.ts';
import type { FaultKind } from './fault-kind.ts';
import { deviceNames } from './fault-targets.ts';
import { forHowLong } from './fault-words.ts';
import { cutLink } from './take-down.ts';

/** A device loses its network without a word: sends seem to work on both sides, nothing arrives, nothing is closed. */
export const halfOpen: FaultKind = {
  kind: 'half-open',
  classes: ['network', 'device'],
  mayBePermanent: true,
  targets: deviceNames,
  describe: (fault) => `${fault.target} loses its network without a close ${forHowLong(fault)}`,
  draw: (draws, setting) => drawFault('half-open', deviceNames(setting.topology), draws, setting, 0),
  begin: (world, fault) => cutLink(world, fault.target, 'lost'),
};
