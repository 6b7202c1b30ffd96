import { DeviceHost } from '../world/device-host.ts';
import { drawFault } from './draw-fault.ts';
import type { FaultKind } from './fault-kind.ts';
import { deviceNames } from './fault-targets.ts';
import { forHowLong } from './fault-words.ts';
import { nothing } from './take-down.ts';

/**
 * A device comes into a network that lets no WebSocket through: the one it has breaks, and what asks for an upgrade is
 * refused (`amount` 1) or never answered (2). Plain requests pass.
 */
export const websocketBlocked: FaultKind = {
  kind: 'websocket-blocked',
  classes: ['network', 'device'],
  mayBePermanent: true,
  targets: deviceNames,
  describe(fault) {
    const how = fault.amount === 2 ? 'lets no WebSocket through, and does not say so' : 'refuses WebSockets';
    return `the network of ${fault.target} ${how} ${forHowLong(fault)}`;
  },
  draw: (draws, setting) =>
    drawFault('websocket-blocked', deviceNames(setting.topology), draws, setting, 1 + draws.int(2)),
  begin(world, fault) {
    const device = world.hostNamed(fault.target);
    if (!(device instanceof DeviceHost)) return nothing;
    const end = device.upgradesBlocked.turnUp(Math.max(1, fault.amount));
    device.breakConnections();
    return end;
  },
};
