import { SECOND } from '../../core/contract/time.ts';
import { drawAmount, drawFault } from './draw-fault.ts';
import type { FaultKind } from './fault-kind.ts';
import { forHowLong, span } from './fault-words.ts';
import { enginesOf } from '../world/engine-names.ts';

const MOST = 3 * SECOND;

/** Outbox rows become visible up to `amount` microseconds after their commit, in another order than their ids. */
export const outboxLate: FaultKind = {
  kind: 'outbox-late',
  classes: ['store'],
  mayBePermanent: true,
  targets: (topology) => enginesOf('store', topology),
  describe: (fault) => `outbox rows become visible up to ${span(fault.amount)} late, ${forHowLong(fault)}`,
  draw: (draws, setting) =>
    drawFault(
      'outbox-late',
      enginesOf('store', setting.topology),
      draws,
      setting,
      drawAmount(draws, setting, 1_000, MOST),
    ),
  begin: (world, fault) => world.storeNamed(fault.target).outboxDelay.turnUp(Math.max(1, fault.amount)),
};
