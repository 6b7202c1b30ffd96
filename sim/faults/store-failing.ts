import { enginesOf } from '../world/engine-names.ts';
import { drawFault } from './draw-fault.ts';
import type { FaultKind } from './fault-kind.ts';
import { forHowLong } from './fault-words.ts';

const SHARES = [20, 100, 300, 600, 1_000];

/** The store refuses calls, without effect. `amount`: per mille of the calls; 1,000: it is down. */
export const storeFailing: FaultKind = {
  kind: 'store-failing',
  classes: ['store'],
  mayBePermanent: false,
  targets: (topology) => enginesOf('store', topology),
  describe: (fault) => `${fault.amount / 10} % of the calls to the store fail ${forHowLong(fault)}`,
  draw: (draws, setting) =>
    drawFault(
      'store-failing',
      enginesOf('store', setting.topology),
      draws,
      setting,
      SHARES[draws.int(SHARES.length)]!,
    ),
  begin: (world, fault) => world.storeNamed(fault.target).failing.turnUp(Math.max(1, fault.amount)),
};
