import { SECOND } from '../../core/contract/time.ts';
import { drawAmount, drawFault } from './draw-fault.ts';
import type { FaultKind } from './fault-kind.ts';
import { FaultScript } from './fault-script.ts';
import { span } from './fault-words.ts';

const TARGETS = ['registry'];

/** The session registry fails over, and again before everybody has learned of the first time. */
export const doubleFailover: FaultKind = {
  kind: 'double-failover',
  classes: ['registry', 'shape'],
  mayBePermanent: false,
  targets: () => TARGETS,
  describe(fault) {
    return `the session registry fails over twice within ${span(fault.for)}, losing ${span(fault.amount)} of writes each time`;
  },
  draw: (draws, setting) =>
    drawFault('double-failover', TARGETS, draws, setting, drawAmount(draws, setting, 1_000, 2 * SECOND)),
  prepare: (world) => world.registry.model.keepJournal(),
  begin(world, fault, draws) {
    const script = new FaultScript(world);
    world.registry.failOver(fault.amount, fault.for, draws.int(65_536));
    const second = draws.int(65_536);
    script.later(fault.for / 2, () => world.registry.failOver(fault.amount, fault.for, second));
    return script.end;
  },
};
