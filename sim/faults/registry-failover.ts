import { SECOND } from '../../core/contract/time.ts';
import { drawAmount, drawFault } from './draw-fault.ts';
import type { FaultKind } from './fault-kind.ts';
import { span } from './fault-words.ts';
import { nothing } from './take-down.ts';
import { enginesOf } from '../world/engine-names.ts';

/** Replication lag of the replica that takes over. */
const MOST_LOST = 2 * SECOND;

/**
 * A replica takes over that does not know the last `amount` microseconds of writes; for up to the length of the fault
 * others still ask the old primary, whose answers are old and whose writes are lost. Longer than a lease it may not
 * answer: that is configured in the registry.
 */
export const registryFailover: FaultKind = {
  kind: 'registry-failover',
  classes: ['registry'],
  mayBePermanent: false,
  targets: (topology) => enginesOf('registry', topology),
  describe(fault) {
    const stale = `the old primary answers for up to ${span(fault.for)}`;
    return `the session registry fails over, losing its last ${span(fault.amount)} of writes; ${stale}`;
  },
  draw: (draws, setting) =>
    drawFault(
      'registry-failover',
      enginesOf('registry', setting.topology),
      draws,
      setting,
      drawAmount(draws, setting, 1_000, MOST_LOST),
    ),
  prepare(world) {
    for (const registry of world.registries) registry.model.keepJournal();
  },
  begin(world, fault, draws) {
    world.registryNamed(fault.target).failOver(fault.amount, fault.for, draws.int(65_536));
    return nothing;
  },
};
