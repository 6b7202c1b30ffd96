import { enginesOf } from '../world/engine-names.ts';
import { drawFault } from './draw-fault.ts';
import type { FaultKind } from './fault-kind.ts';
import { forHowLong } from './fault-words.ts';

const SHARES = [20, 100, 300, 600, 1_000];

/** The queue refuses publishes, without effect. `amount`: per mille of the publishes; 1,000: it is down. */
export const queueFailing: FaultKind = {
  kind: 'queue-failing',
  classes: ['queue'],
  mayBePermanent: false,
  targets: (topology) => enginesOf('queue', topology),
  describe: (fault) => `${fault.amount / 10} % of the publishes fail ${forHowLong(fault)}`,
  draw: (draws, setting) =>
    drawFault(
      'queue-failing',
      enginesOf('queue', setting.topology),
      draws,
      setting,
      SHARES[draws.int(SHARES.length)]!,
    ),
  begin: (world, fault) => world.queueNamed(fault.target).failing.turnUp(Math.max(1, fault.amount)),
};
