import { drawFault } from './draw-fault.ts';
import type { FaultKind } from './fault-kind.ts';
import { deviceNames, processNames } from './fault-targets.ts';
import { forHowLong } from './fault-words.ts';
import { nothing } from './take-down.ts';

const COUNTS = [0, 1, 2, 3, 4, 6, 9, 14, 30];

/**
 * A process stands still right after one more of its effects, often in the midst of a step: half of what it decided has
 * happened, the other half happens when the pause is over. `amount` effects from the begin.
 */
export const pauseAtEffect: FaultKind = {
  kind: 'pause-at-effect',
  classes: ['process'],
  mayBePermanent: false,
  targets: (topology) => [...processNames(topology), ...deviceNames(topology)],
  describe: (fault) =>
    `${fault.target} stands still after ${fault.amount + 1} more effects, ${forHowLong(fault)}`,
  draw(draws, setting) {
    const count = COUNTS[draws.int(COUNTS.length)]!;
    return drawFault('pause-at-effect', this.targets(setting.topology), draws, setting, count);
  },
  begin(world, fault) {
    const host = world.hostNamed(fault.target);
    if (host === undefined) return nothing;
    let goOn = (): void => host.cancelPause();
    host.pauseAfter(fault.amount, () => {
      goOn = host.pause();
      world.membershipMayChange();
    });
    return () => {
      goOn();
      world.membershipMayChange();
    };
  },
};
