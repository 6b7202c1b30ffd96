import { drawFault } from './draw-fault.ts';
import type { FaultKind } from './fault-kind.ts';
import { processNames } from './fault-targets.ts';
import { forHowLong } from './fault-words.ts';
import { nothing, takeDown } from './take-down.ts';

/** A process dies and starts again: everything volatile is gone. `amount` 1: it lost power, and nobody is told. */
export const crash: FaultKind = {
  kind: 'crash',
  classes: ['process'],
  mayBePermanent: true,
  targets: processNames,
  describe: (fault) =>
    `${fault.target} ${fault.amount === 1 ? 'loses power' : 'crashes'} ${forHowLong(fault)}`,
  draw: (draws, setting) => drawFault('crash', processNames(setting.topology), draws, setting, draws.int(2)),
  begin(world, fault) {
    const host = world.hostNamed(fault.target);
    return host === undefined ? nothing : takeDown(host, fault.amount === 1);
  },
};
