import { SECOND } from '../../core/contract/time.ts';
import { drawAmount, drawFault } from './draw-fault.ts';
import type { FaultKind } from './fault-kind.ts';
import { FaultScript } from './fault-script.ts';
import { span } from './fault-words.ts';
import { enginesOf } from '../world/engine-names.ts';

/** The session registry fails over, and again before everybody has learned of the first time. */
export const doubleFailover: FaultKind = {
  kind: 'double-failover',
  classes: ['registry', 'shape'],
  mayBePermanent: false,
  targets: (topology) => enginesOf('registry', topology),
  describe(fault) {
    return `the session registry fails over twice within ${span(fault.for)}, losing ${span(fault.amount)} of writes each time`;
  },
  draw: (draws, setting) =>
    drawFault(
      'double-failover',
      enginesOf('registry', setting.topology),
      draws,
      setting,
      drawAmount(draws, setting, 1_000, 2 * SECOND),
    ),
  prepare(world) {
    for (const registry of world.registries) registry.model.keepJournal();
  },
  begin(world, fault, draws) {
    const script = new FaultScript(world);
    world.registryNamed(fault.target).failOver(fault.amount, fault.for, draws.int(65_536));
    const second = draws.int(65_536);
    script.later(fault.for / 2, () =>
      world.registryNamed(fault.target).failOver(fault.amount, fault.for, second),
    );
    return script.end;
  },
};
