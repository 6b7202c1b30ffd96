import { enginesOf } from '../world/engine-names.ts';
import { drawFault } from './draw-fault.ts';
import type { FaultKind } from './fault-kind.ts';
import { forHowLong } from './fault-words.ts';
import { noConsumer } from './no-consumer.ts';

/**
 * Consumers are away until retention has removed what they have not seen: they find their offset below the log, and begin
 * where it begins. `amount`: per mille of the records that are kept, the oldest of them.
 */
export const queueRetention: FaultKind = {
  kind: 'queue-retention',
  classes: ['queue'],
  mayBePermanent: false,
  losesEvents: true,
  targets: (topology) => enginesOf('queue', topology),
  describe: (fault) =>
    `no consumer reaches the queue ${forHowLong(fault)}, then its oldest ${fault.amount / 10} % is removed, consumed or not`,
  draw: (draws, setting) =>
    drawFault('queue-retention', enginesOf('queue', setting.topology), draws, setting, draws.pick(SHARES)!),
  begin(world, fault) {
    const queue = world.queueNamed(fault.target);
    const back = noConsumer(world, queue);
    return () => {
      for (const partition of queue.partitions) {
        const { records } = partition;
        const last = records[Math.ceil((records.length * fault.amount) / 1_000) - 1];
        if (last === undefined) continue;
        if (last.offset >= partition.committed) world.probes.hit('queue.retention.gap');
        partition.expire(last.offset + 1);
      }
      back();
      // Whoever stands below the log is out of range, and is assigned anew from where it begins.
      queue.group.rebalance(false);
    };
  },
};

const SHARES = [300, 1_000, 1_000];
