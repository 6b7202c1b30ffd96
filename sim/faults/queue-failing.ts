import { drawFault } from './draw-fault.ts';
import type { FaultKind } from './fault-kind.ts';
import { forHowLong } from './fault-words.ts';

const SHARES = [20, 100, 300, 600, 1_000];

const TARGETS = ['queue'];

/** The queue refuses publishes, without effect. `amount`: per mille of the publishes; 1,000: it is down. */
export const queueFailing: FaultKind = {
  kind: 'queue-failing',
  classes: ['queue'],
  mayBePermanent: false,
  targets: () => TARGETS,
  describe: (fault) => `${fault.amount / 10} % of the publishes fail ${forHowLong(fault)}`,
  draw: (draws, setting) =>
    drawFault('queue-failing', TARGETS, draws, setting, SHARES[draws.int(SHARES.length)]!),
  begin: (world, fault) => world.queue.failing.turnUp(Math.max(1, fault.amount)),
};
