import { SECOND } from '../../core/contract/time.ts';
import { DeviceHost } from '../world/device-host.ts';
import { drawAmount, drawFault } from './draw-fault.ts';
import type { FaultKind } from './fault-kind.ts';
import { FaultScript } from './fault-script.ts';
import { deviceNames, gatewayNames } from './fault-targets.ts';
import { forHowLong, span } from './fault-words.ts';
import { loseConnection } from './lose-connection.ts';
import { cutLink, nothing } from './take-down.ts';

const MOST = 4 * SECOND;
/** How often the device is made to connect anew. */
const MOVES = 4;

/**
 * A device connects again and again while what gateways tell the registry waits for up to `amount` microseconds: the claim
 * of a connection that is gone comes after that of the newest one. Every other time the gateway does not hear that the
 * connection is gone, and in every other run gateways cannot tell each other either.
 */
export const lateClaim: FaultKind = {
  kind: 'late-claim',
  classes: ['registry', 'device', 'shape'],
  mayBePermanent: false,
  targets: deviceNames,
  describe: (fault) =>
    `${fault.target} connects anew ${MOVES} times while calls to the registry wait for up to ${span(fault.amount)}, ${forHowLong(fault)}`,
  draw: (draws, setting) =>
    drawFault(
      'late-claim',
      deviceNames(setting.topology),
      draws,
      setting,
      drawAmount(draws, setting, 1_000, MOST),
    ),
  begin(world, fault, draws) {
    const device = world.hostNamed(fault.target);
    if (!(device instanceof DeviceHost)) return nothing;
    const script = new FaultScript(world);
    for (const registry of world.registries) script.hold(registry.backlog.turnUp(Math.max(1, fault.amount)));
    if (draws.perMille(500)) {
      const names = gatewayNames(world.scenario.topology);
      names.forEach((one, i) => {
        for (const other of names.slice(i + 1)) script.hold(cutLink(world, `${one}~${other}`, 'lost'));
      });
    }
    const unheard = Array.from({ length: MOVES }, () => draws.perMille(500));
    unheard.forEach((silent, i) =>
      script.later((fault.for * i) / MOVES, () => loseConnection(world, device, silent)),
    );
    return script.end;
  },
};
