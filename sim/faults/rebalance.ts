import { drawInstant } from './draw-fault.ts';
import type { FaultKind } from './fault-kind.ts';
import { nothing } from './take-down.ts';

const TARGETS = ['queue'];

/** The consumer group deals its partitions anew while work is in flight. */
export const rebalance: FaultKind = {
  kind: 'rebalance',
  classes: ['queue'],
  mayBePermanent: false,
  targets: () => TARGETS,
  describe: () => 'the consumer group deals its partitions anew',
  draw: (draws, setting) => drawInstant('rebalance', TARGETS, draws, setting, 0),
  begin(world) {
    world.queue.group.rebalance(true);
    return nothing;
  },
};
