import { enginesOf } from '../world/engine-names.ts';
import { drawFault } from './draw-fault.ts';
import type { FaultKind } from './fault-kind.ts';
import { forHowLong } from './fault-words.ts';
import { noConsumer } from './no-consumer.ts';

/**
 * While consumers are away somebody sets the committed offsets of their group. `amount` 0: to the beginning, and everything is delivered again;
 * 1: to the end, over what nobody has done; 2: beyond it, where nothing is.
 */
export const queueOffsetMoved: FaultKind = {
  kind: 'queue-offset-moved',
  classes: ['queue'],
  mayBePermanent: false,
  losesEvents: true,
  targets: (topology) => enginesOf('queue', topology),
  describe: (fault) =>
    `no consumer reaches the queue ${forHowLong(fault)}, then its committed offsets are set ${WORDS[fault.amount] ?? WORDS[2]}`,
  draw: (draws, setting) =>
    drawFault('queue-offset-moved', enginesOf('queue', setting.topology), draws, setting, draws.int(3)),
  begin(world, fault) {
    const queue = world.queueNamed(fault.target);
    const back = noConsumer(world, queue);
    return () => {
      for (const partition of queue.partitions) {
        if (fault.amount === 1 && partition.lag > 0) world.probes.hit('queue.offset.skipped-work');
        partition.moveCommit(fault.amount === 0 ? 0 : fault.amount === 1 ? partition.end : undefined);
      }
      back();
      queue.group.rebalance(false);
    };
  },
};

const WORDS = ['to the beginning', 'to the end, done or not', 'beyond the end'];
