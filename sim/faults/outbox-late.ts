import { SECOND } from '../../core/contract/time.ts';
import { drawAmount, drawFault } from './draw-fault.ts';
import type { FaultKind } from './fault-kind.ts';
import { forHowLong, span } from './fault-words.ts';

const MOST = 3 * SECOND;

const TARGETS = ['store'];

/** Outbox rows become visible up to `amount` microseconds after their commit, in another order than their ids. */
export const outboxLate: FaultKind = {
  kind: 'outbox-late',
  classes: ['store'],
  mayBePermanent: false,
  targets: () => TARGETS,
  describe: (fault) => `outbox rows become visible up to ${span(fault.amount)} late, ${forHowLong(fault)}`,
  draw: (draws, setting) =>
    drawFault('outbox-late', TARGETS, draws, setting, drawAmount(draws, setting, 1_000, MOST)),
  begin: (world, fault) => world.store.outboxDelay.turnUp(Math.max(1, fault.amount)),
};
