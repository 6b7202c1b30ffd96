import { enginesOf } from '../world/engine-names.ts';
import { drawFault } from './draw-fault.ts';
import type { FaultKind } from './fault-kind.ts';
import { forHowLong } from './fault-words.ts';

const SHARES = [20, 100, 300, 600, 1_000];

/** The acknowledgement of a publish is lost: nothing, a part, or all of it is in the queue. `amount`: per mille of the publishes. */
export const queueUnknown: FaultKind = {
  kind: 'queue-unknown',
  classes: ['queue'],
  mayBePermanent: false,
  targets: (topology) => enginesOf('queue', topology),
  describe: (fault) =>
    `${fault.amount / 10} % of the publishes end with an unknown outcome ${forHowLong(fault)}`,
  draw: (draws, setting) =>
    drawFault(
      'queue-unknown',
      enginesOf('queue', setting.topology),
      draws,
      setting,
      SHARES[draws.int(SHARES.length)]!,
    ),
  begin: (world, fault) => world.queueNamed(fault.target).unknown.turnUp(Math.max(1, fault.amount)),
};
