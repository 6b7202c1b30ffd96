import { enginesOf } from '../world/engine-names.ts';
import { drawInstant } from './draw-fault.ts';
import type { FaultKind } from './fault-kind.ts';
import { nothing } from './take-down.ts';

/** Every consumer starts again from the committed offset of its partitions. */
export const queueRedeliver: FaultKind = {
  kind: 'queue-redeliver',
  classes: ['queue'],
  mayBePermanent: false,
  targets: (topology) => enginesOf('queue', topology),
  describe: () => 'the queue hands out again what is not committed',
  draw: (draws, setting) =>
    drawInstant('queue-redeliver', enginesOf('queue', setting.topology), draws, setting, 0),
  begin(world, fault) {
    world.queueNamed(fault.target).group.rebalance(false);
    return nothing;
  },
};
