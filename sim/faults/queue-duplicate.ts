import { enginesOf } from '../world/engine-names.ts';
import { drawFault } from './draw-fault.ts';
import type { FaultKind } from './fault-kind.ts';
import { forHowLong } from './fault-words.ts';

const SHARES = [20, 100, 300, 600, 1_000];

/** Publishes are in the queue twice. `amount`: per mille of the publishes. */
export const queueDuplicate: FaultKind = {
  kind: 'queue-duplicate',
  classes: ['queue'],
  mayBePermanent: true,
  unfelt: true,
  targets: (topology) => enginesOf('queue', topology),
  describe: (fault) => `${fault.amount / 10} % of the publishes are in the queue twice, ${forHowLong(fault)}`,
  draw: (draws, setting) =>
    drawFault(
      'queue-duplicate',
      enginesOf('queue', setting.topology),
      draws,
      setting,
      SHARES[draws.int(SHARES.length)]!,
    ),
  begin: (world, fault) => world.queueNamed(fault.target).duplicating.turnUp(Math.max(1, fault.amount)),
};
