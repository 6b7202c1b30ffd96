import { DeviceHost } from '../world/device-host.ts';
import { drawFault } from './draw-fault.ts';
import type { FaultKind } from './fault-kind.ts';
import { deviceNames } from './fault-targets.ts';
import { forHowLong } from './fault-words.ts';
import { nothing } from './take-down.ts';

const SHARES = [20, 100, 300, 600];

/**
 * The proxy in front of a device loses requests, or their answers when the server has done what they ask, with a word or
 * without one; hands answers over when nobody waits for them any more; and repeats polls. `amount`: per mille of the requests.
 */
export const pollLossy: FaultKind = {
  kind: 'poll-lossy',
  classes: ['network', 'device'],
  mayBePermanent: false,
  targets: deviceNames,
  describe(fault) {
    return `${fault.amount / 10} % of the poll requests of ${fault.target} are lost, answered in vain, late or twice ${forHowLong(fault)}`;
  },
  draw: (draws, setting) =>
    drawFault('poll-lossy', deviceNames(setting.topology), draws, setting, SHARES[draws.int(SHARES.length)]!),
  begin(world, fault) {
    const device = world.hostNamed(fault.target);
    return device instanceof DeviceHost ? device.pollLoss.turnUp(Math.max(1, fault.amount)) : nothing;
  },
};
