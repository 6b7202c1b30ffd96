import { drawFault } from './draw-fault.ts';
import type { FaultKind } from './fault-kind.ts';
import { deviceNames } from './fault-targets.ts';
import { forHowLong } from './fault-words.ts';
import { cutLink } from './take-down.ts';

/** A device's line stands still: what both sides send piles up in their sockets, and all of it arrives afterwards. */
export const jam: FaultKind = {
  kind: 'jam',
  classes: ['network', 'device'],
  mayBePermanent: false,
  targets: deviceNames,
  describe: (fault) =>
    `the line of ${fault.target} stands still ${forHowLong(fault)}, then all of it arrives`,
  draw: (draws, setting) => drawFault('jam', deviceNames(setting.topology), draws, setting, 0),
  begin: (world, fault) => cutLink(world, fault.target, 'held'),
};
