import { HOUR } from '../../core/contract/time.ts';
import { DeviceHost } from '../world/device-host.ts';
import { drawFault } from './draw-fault.ts';
import type { FaultKind } from './fault-kind.ts';
import { FaultScript } from './fault-script.ts';
import { deviceNames } from './fault-targets.ts';
import { forHowLong, span } from './fault-words.ts';
import { cutLink, nothing } from './take-down.ts';

/**
 * A device is cut off from the gateway that holds it, and from no other: it reconnects elsewhere while the old gateway
 * still believes that it has the session. A network that a device comes into may set its clock: back by `amount`
 * microseconds, which may be more than any machine is given to settle.
 */
export const partitionThenMove: FaultKind = {
  kind: 'partition-then-move',
  classes: ['network', 'shape'],
  mayBePermanent: false,
  targets: deviceNames,
  describe(fault) {
    const clock = fault.amount === 0 ? '' : `, and its clock is set back by ${span(fault.amount)}`;
    return `${fault.target} is cut off from the gateway that holds it ${forHowLong(fault)}${clock}`;
  },
  draw(draws, setting) {
    const amount = draws.perMille(250) ? draws.int(HOUR) : 0;
    return drawFault('partition-then-move', deviceNames(setting.topology), draws, setting, amount);
  },
  begin(world, fault) {
    const device = world.hostNamed(fault.target);
    if (!(device instanceof DeviceHost)) return nothing;
    device.clock.step(-fault.amount);
    const script = new FaultScript(world);
    for (const gateway of device.gateways())
      script.hold(cutLink(world, `${device.name}~${gateway.name}`, 'lost'));
    return script.end;
  },
};
