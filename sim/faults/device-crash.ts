import { drawFault } from './draw-fault.ts';
import type { FaultKind } from './fault-kind.ts';
import { deviceNames } from './fault-targets.ts';
import { forHowLong } from './fault-words.ts';
import { nothing, takeDown } from './take-down.ts';

/** A device dies and starts again from its disk. `amount` 1: it lost power, and its gateway is not told. */
export const deviceCrash: FaultKind = {
  kind: 'device-crash',
  classes: ['device'],
  mayBePermanent: true,
  targets: deviceNames,
  describe: (fault) =>
    `${fault.target} ${fault.amount === 1 ? 'loses power' : 'crashes'} ${forHowLong(fault)}`,
  draw: (draws, setting) =>
    drawFault('device-crash', deviceNames(setting.topology), draws, setting, draws.int(2)),
  begin(world, fault) {
    const host = world.hostNamed(fault.target);
    return host === undefined ? nothing : takeDown(host, fault.amount === 1);
  },
};
