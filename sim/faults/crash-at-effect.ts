import { drawFault } from './draw-fault.ts';
import type { FaultKind } from './fault-kind.ts';
import { deviceNames, processNames } from './fault-targets.ts';
import { forHowLong } from './fault-words.ts';
import { nothing, takeDown } from './take-down.ts';

const COUNTS = [0, 1, 2, 3, 4, 6, 9, 14, 30];

/** A process dies right after one more of its effects, often in the midst of a step: `amount` effects from the begin. */
export const crashAtEffect: FaultKind = {
  kind: 'crash-at-effect',
  classes: ['process'],
  mayBePermanent: false,
  targets: (topology) => [...processNames(topology), ...deviceNames(topology)],
  describe: (fault) => `${fault.target} crashes after ${fault.amount + 1} more effects, ${forHowLong(fault)}`,
  draw(draws, setting) {
    return drawFault(
      'crash-at-effect',
      this.targets(setting.topology),
      draws,
      setting,
      COUNTS[draws.int(COUNTS.length)]!,
    );
  },
  begin(world, fault) {
    const host = world.hostNamed(fault.target);
    if (host === undefined) return nothing;
    let restart = (): void => host.cancelCrash();
    host.crashAfter(fault.amount, () => {
      restart = takeDown(host, false);
    });
    return () => restart();
  },
};
