import { MILLISECOND } from '../../core/contract/time.ts';
import { drawAmount, drawFault } from './draw-fault.ts';
import type { FaultKind } from './fault-kind.ts';
import { FaultScript } from './fault-script.ts';
import { workerNames } from './fault-targets.ts';
import { forHowLong, span } from './fault-words.ts';
import { nothing, takeDown } from './take-down.ts';

/** The consumer group deals its partitions anew, and `amount` microseconds later one of the consumers dies. */
export const crashInRebalance: FaultKind = {
  kind: 'crash-in-rebalance',
  classes: ['queue', 'process', 'shape'],
  mayBePermanent: false,
  targets: workerNames,
  describe(fault) {
    return `the consumer group deals its partitions anew, ${span(fault.amount)} later ${fault.target} crashes ${forHowLong(fault)}`;
  },
  draw(draws, setting) {
    const targets = workerNames(setting.topology);
    return drawFault(
      'crash-in-rebalance',
      targets,
      draws,
      setting,
      drawAmount(draws, setting, 0, 20 * MILLISECOND),
    );
  },
  begin(world, fault) {
    const host = world.hostNamed(fault.target);
    if (host === undefined) return nothing;
    const script = new FaultScript(world);
    for (const topic of world.topics.flat()) topic.group.rebalance(true);
    script.later(fault.amount, () => script.hold(takeDown(host, false)));
    return script.end;
  },
};
