import { enginesOf } from '../world/engine-names.ts';
import { drawFault } from './draw-fault.ts';
import type { FaultKind } from './fault-kind.ts';
import { forHowLong } from './fault-words.ts';

const SHARES = [20, 100, 300, 600, 1_000];

/**
 * The connection to the store is lost during COMMIT: the caller never learns whether its write happened. `amount`:
 * per mille of the writes; half of those happened.
 */
export const storeUnknown: FaultKind = {
  kind: 'store-unknown',
  classes: ['store'],
  mayBePermanent: false,
  targets: (topology) => enginesOf('store', topology),
  describe: (fault) =>
    `${fault.amount / 10} % of the writes to the store end with an unknown outcome ${forHowLong(fault)}`,
  draw: (draws, setting) =>
    drawFault(
      'store-unknown',
      enginesOf('store', setting.topology),
      draws,
      setting,
      SHARES[draws.int(SHARES.length)]!,
    ),
  begin: (world, fault) => world.storeNamed(fault.target).unknown.turnUp(Math.max(1, fault.amount)),
};
