import { enginesOf } from '../world/engine-names.ts';
import { drawInstant } from './draw-fault.ts';
import type { FaultKind } from './fault-kind.ts';
import { nothing } from './take-down.ts';

/** The consumer group deals its partitions anew while work is in flight. */
export const rebalance: FaultKind = {
  kind: 'rebalance',
  classes: ['queue'],
  mayBePermanent: false,
  targets: (topology) => enginesOf('queue', topology),
  describe: () => 'the consumer group deals its partitions anew',
  draw: (draws, setting) => drawInstant('rebalance', enginesOf('queue', setting.topology), draws, setting, 0),
  begin(world, fault) {
    world.queueNamed(fault.target).group.rebalance(true);
    return nothing;
  },
};
