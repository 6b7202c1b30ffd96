import { enginesOf } from '../world/engine-names.ts';
import { drawFault } from './draw-fault.ts';
import type { FaultKind } from './fault-kind.ts';
import { forHowLong } from './fault-words.ts';

const FACTORS = [3, 10, 100, 1_000];

/** Calls take the store up to `amount` times as long, and overtake each other. */
export const storeSlow: FaultKind = {
  kind: 'store-slow',
  classes: ['store'],
  mayBePermanent: true,
  targets: (topology) => enginesOf('store', topology),
  describe: (fault) => `the store takes up to ${fault.amount} times as long ${forHowLong(fault)}`,
  draw: (draws, setting) =>
    drawFault(
      'store-slow',
      enginesOf('store', setting.topology),
      draws,
      setting,
      FACTORS[draws.int(FACTORS.length)]!,
    ),
  begin: (world, fault) => world.storeNamed(fault.target).slowness.turnUp(Math.max(1, fault.amount)),
};
