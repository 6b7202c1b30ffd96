import { DeviceHost } from '../world/device-host.ts';
import { drawFault } from './draw-fault.ts';
import type { FaultKind } from './fault-kind.ts';
import { FaultScript } from './fault-script.ts';
import { deviceNames } from './fault-targets.ts';
import { forHowLong } from './fault-words.ts';
import { cutLink, nothing } from './take-down.ts';

/**
 * A device is cut off from the gateway that holds it, and from no other: it reconnects elsewhere while the old gateway
 * still believes that it has the session.
 */
export const partitionThenMove: FaultKind = {
  kind: 'partition-then-move',
  classes: ['network', 'shape'],
  mayBePermanent: false,
  targets: deviceNames,
  describe: (fault) => `${fault.target} is cut off from the gateway that holds it ${forHowLong(fault)}`,
  draw: (draws, setting) =>
    drawFault('partition-then-move', deviceNames(setting.topology), draws, setting, 0),
  begin(world, fault) {
    const device = world.hostNamed(fault.target);
    if (!(device instanceof DeviceHost)) return nothing;
    const script = new FaultScript(world);
    for (const gateway of device.gateways())
      script.hold(cutLink(world, `${device.name}~${gateway.name}`, 'lost'));
    return script.end;
  },
};
