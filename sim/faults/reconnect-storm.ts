import { drawInstant } from './draw-fault.ts';
import type { FaultKind } from './fault-kind.ts';
import { nothing } from './take-down.ts';

const TARGETS = ['devices'];
const SHARES = [300, 700, 1_000];

/** Many devices lose their connections at the same moment and come back together. `amount`: per mille of the devices. */
export const reconnectStorm: FaultKind = {
  kind: 'reconnect-storm',
  classes: ['device', 'shape'],
  mayBePermanent: false,
  targets: () => TARGETS,
  describe: (fault) => `${fault.amount / 10} % of the devices lose their connections at once`,
  draw(draws, setting) {
    return drawInstant('reconnect-storm', TARGETS, draws, setting, SHARES[draws.int(SHARES.length)]!);
  },
  begin(world, fault, draws) {
    for (const device of world.devices) if (draws.perMille(fault.amount)) device.breakConnections();
    return nothing;
  },
};
