import { SECOND } from '../../core/contract/time.ts';
import { drawAmount, drawFault } from './draw-fault.ts';
import type { FaultKind } from './fault-kind.ts';
import { forHowLong, span } from './fault-words.ts';

const MOST = 2 * SECOND;

const TARGETS = ['registry'];

/** The session registry needs up to `amount` microseconds more for each call. */
export const registrySlow: FaultKind = {
  kind: 'registry-slow',
  classes: ['registry'],
  mayBePermanent: false,
  targets: () => TARGETS,
  describe: (fault) =>
    `the session registry needs up to ${span(fault.amount)} more for each call, ${forHowLong(fault)}`,
  draw: (draws, setting) =>
    drawFault('registry-slow', TARGETS, draws, setting, drawAmount(draws, setting, 1_000, MOST)),
  begin: (world, fault) => world.registry.slowness.turnUp(Math.max(1, fault.amount)),
};
