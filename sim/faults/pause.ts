import { drawFault } from './draw-fault.ts';
import type { FaultKind } from './fault-kind.ts';
import { deviceNames, processNames } from './fault-targets.ts';
import { forHowLong } from './fault-words.ts';
import { nothing } from './take-down.ts';

/** A process stands still (garbage collection, SIGSTOP): what arrives waits, then all of it and all due timers come at once. */
export const pause: FaultKind = {
  kind: 'pause',
  classes: ['process'],
  mayBePermanent: false,
  targets: (topology) => [...processNames(topology), ...deviceNames(topology)],
  describe: (fault) => `${fault.target} stands still ${forHowLong(fault)}`,
  draw(draws, setting) {
    return drawFault('pause', this.targets(setting.topology), draws, setting, 0);
  },
  begin(world, fault) {
    const host = world.hostNamed(fault.target);
    if (host?.up !== true) return nothing;
    const goOn = host.pause();
    world.membershipMayChange();
    return () => {
      goOn();
      world.membershipMayChange();
    };
  },
};
