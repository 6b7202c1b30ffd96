import { SECOND } from '../../core/contract/time.ts';
import { drawAmount, drawFault } from './draw-fault.ts';
import type { FaultKind } from './fault-kind.ts';
import { forHowLong, span } from './fault-words.ts';
import { enginesOf } from '../world/engine-names.ts';

const MOST = 2 * SECOND;

/** The session registry needs up to `amount` microseconds more for each call. */
export const registrySlow: FaultKind = {
  kind: 'registry-slow',
  classes: ['registry'],
  mayBePermanent: true,
  targets: (topology) => enginesOf('registry', topology),
  describe: (fault) =>
    `the session registry needs up to ${span(fault.amount)} more for each call, ${forHowLong(fault)}`,
  draw: (draws, setting) =>
    drawFault(
      'registry-slow',
      enginesOf('registry', setting.topology),
      draws,
      setting,
      drawAmount(draws, setting, 1_000, MOST),
    ),
  begin: (world, fault) => world.registryNamed(fault.target).slowness.turnUp(Math.max(1, fault.amount)),
};
