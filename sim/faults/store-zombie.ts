import { enginesOf } from '../world/engine-names.ts';
import { drawFault } from './draw-fault.ts';
import type { FaultKind } from './fault-kind.ts';
import { forHowLong } from './fault-words.ts';

const SHARES = [20, 100, 300, 600, 1_000];

/** A write that its caller was told to be of unknown outcome is carried out later. `amount`: per mille of the writes. */
export const storeZombie: FaultKind = {
  kind: 'store-zombie',
  classes: ['store'],
  mayBePermanent: false,
  targets: (topology) => enginesOf('store', topology),
  describe: (fault) =>
    `${fault.amount / 10} % of the writes to the store are carried out after their caller gave up, ${forHowLong(fault)}`,
  draw: (draws, setting) =>
    drawFault(
      'store-zombie',
      enginesOf('store', setting.topology),
      draws,
      setting,
      SHARES[draws.int(SHARES.length)]!,
    ),
  begin: (world, fault) => world.storeNamed(fault.target).zombie.turnUp(Math.max(1, fault.amount)),
};
