import { drawFault } from './draw-fault.ts';
import type { FaultKind } from './fault-kind.ts';
import { forHowLong } from './fault-words.ts';

const SHARES = [20, 100, 300, 600, 1_000];

const TARGETS = ['queue'];

/** Publishes are in the queue twice. `amount`: per mille of the publishes. */
export const queueDuplicate: FaultKind = {
  kind: 'queue-duplicate',
  classes: ['queue'],
  mayBePermanent: false,
  unfelt: true,
  targets: () => TARGETS,
  describe: (fault) => `${fault.amount / 10} % of the publishes are in the queue twice, ${forHowLong(fault)}`,
  draw: (draws, setting) =>
    drawFault('queue-duplicate', TARGETS, draws, setting, SHARES[draws.int(SHARES.length)]!),
  begin: (world, fault) => world.queue.duplicating.turnUp(Math.max(1, fault.amount)),
};
