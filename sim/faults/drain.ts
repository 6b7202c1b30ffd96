import { drawFault } from './draw-fault.ts';
import type { FaultKind } from './fault-kind.ts';
import { gatewayNames } from './fault-targets.ts';
import { forHowLong } from './fault-words.ts';
import { nothing } from './take-down.ts';
import { GatewayHost } from '../world/gateway-host.ts';

/** A gateway is drained in order, and a new process takes its place at the end. */
export const drain: FaultKind = {
  kind: 'drain',
  classes: ['process'],
  mayBePermanent: false,
  targets: gatewayNames,
  describe: (fault) =>
    `${fault.target} drains, and is started anew after ${forHowLong(fault).slice('for '.length)}`,
  draw: (draws, setting) => drawFault('drain', gatewayNames(setting.topology), draws, setting, 0),
  begin(world, fault) {
    const host = world.hostNamed(fault.target);
    if (!(host instanceof GatewayHost)) return nothing;
    host.drain();
    return () => {
      // Whoever has not left by now is cut off, as by the end of a deployment's grace period.
      if (host.draining) host.stop(false);
      host.start();
    };
  },
};
