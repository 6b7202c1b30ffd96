import { enginesOf } from '../world/engine-names.ts';
import { drawFault } from './draw-fault.ts';
import type { FaultKind } from './fault-kind.ts';
import { forHowLong } from './fault-words.ts';

const SHARES = [20, 100, 300, 600, 1_000];

/** Presence hints vanish. `amount`: per mille of them. */
export const hintsDropped: FaultKind = {
  kind: 'hints-dropped',
  classes: ['registry'],
  mayBePermanent: true,
  unfelt: true,
  targets: (topology) => enginesOf('registry', topology),
  describe: (fault) => `${fault.amount / 10} % of the presence hints vanish ${forHowLong(fault)}`,
  draw: (draws, setting) =>
    drawFault(
      'hints-dropped',
      enginesOf('registry', setting.topology),
      draws,
      setting,
      SHARES[draws.int(SHARES.length)]!,
    ),
  begin: (world, fault) => world.registryNamed(fault.target).hintsDropped.turnUp(Math.max(1, fault.amount)),
};
