import { drawAmount, drawFault } from './draw-fault.ts';
import type { FaultKind } from './fault-kind.ts';
import { deviceNames, processNames } from './fault-targets.ts';
import { forHowLong, span } from './fault-words.ts';
import { nothing } from './take-down.ts';

const LEAST = 100;
const MOST = 20_000;

/** A process needs `amount` microseconds for each event, one after the other. */
export const slowNode: FaultKind = {
  kind: 'slow-node',
  classes: ['process'],
  mayBePermanent: true,
  targets: (topology) => [...processNames(topology), ...deviceNames(topology)],
  describe: (fault) => `${fault.target} needs ${span(fault.amount)} for each event, ${forHowLong(fault)}`,
  draw(draws, setting) {
    return drawFault(
      'slow-node',
      this.targets(setting.topology),
      draws,
      setting,
      drawAmount(draws, setting, LEAST, MOST),
    );
  },
  begin(world, fault) {
    const host = world.hostNamed(fault.target);
    return host === undefined ? nothing : host.slowDown(fault.amount);
  },
};
