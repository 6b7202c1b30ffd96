import { drawFault } from './draw-fault.ts';
import type { FaultKind } from './fault-kind.ts';
import { forHowLong } from './fault-words.ts';

const SHARES = [20, 100, 300, 600, 1_000];

const TARGETS = ['store'];

/**
 * The connection to the store is lost during COMMIT: the caller never learns whether its write happened. `amount`:
 * per mille of the writes; half of those happened.
 */
export const storeUnknown: FaultKind = {
  kind: 'store-unknown',
  classes: ['store'],
  mayBePermanent: false,
  targets: () => TARGETS,
  describe: (fault) =>
    `${fault.amount / 10} % of the writes to the store end with an unknown outcome ${forHowLong(fault)}`,
  draw: (draws, setting) =>
    drawFault('store-unknown', TARGETS, draws, setting, SHARES[draws.int(SHARES.length)]!),
  begin: (world, fault) => world.store.unknown.turnUp(Math.max(1, fault.amount)),
};
