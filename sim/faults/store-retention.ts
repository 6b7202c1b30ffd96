import { enginesOf } from '../world/engine-names.ts';
import { drawFault } from './draw-fault.ts';
import type { FaultKind } from './fault-kind.ts';
import { forHowLong } from './fault-words.ts';

/**
 * Retention comes over everything: what was said so far is dropped, and what is said while it lasts is dropped as soon as it
 * is committed, as if its last day were over. Seqs, ids and send keys stay.
 */
export const storeRetention: FaultKind = {
  kind: 'store-retention',
  classes: ['store'],
  mayBePermanent: false,
  targets: (topology) => enginesOf('store', topology),
  describe: (fault) => `the store drops what all messages say, ${forHowLong(fault)}`,
  draw: (draws, setting) =>
    drawFault('store-retention', enginesOf('store', setting.topology), draws, setting, 0),
  begin: (world, fault) => world.storeNamed(fault.target).dropContents(),
};
