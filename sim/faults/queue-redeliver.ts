import { drawInstant } from './draw-fault.ts';
import type { FaultKind } from './fault-kind.ts';
import { nothing } from './take-down.ts';

const TARGETS = ['queue'];

/** Every consumer starts again from the committed offset of its partitions. */
export const queueRedeliver: FaultKind = {
  kind: 'queue-redeliver',
  classes: ['queue'],
  mayBePermanent: false,
  targets: () => TARGETS,
  describe: () => 'the queue hands out again what is not committed',
  draw: (draws, setting) => drawInstant('queue-redeliver', TARGETS, draws, setting, 0),
  begin(world) {
    world.queue.group.rebalance(false);
    return nothing;
  },
};
