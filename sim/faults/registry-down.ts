import { enginesOf } from '../world/engine-names.ts';
import { drawFault } from './draw-fault.ts';
import type { FaultKind } from './fault-kind.ts';
import { forHowLong } from './fault-words.ts';

const SHARES = [20, 100, 300, 600, 1_000];

/** The session registry does not answer. `amount`: per mille of the calls. */
export const registryDown: FaultKind = {
  kind: 'registry-down',
  classes: ['registry'],
  mayBePermanent: false,
  targets: (topology) => enginesOf('registry', topology),
  describe: (fault) =>
    `${fault.amount / 10} % of the calls to the session registry fail ${forHowLong(fault)}`,
  draw: (draws, setting) =>
    drawFault(
      'registry-down',
      enginesOf('registry', setting.topology),
      draws,
      setting,
      SHARES[draws.int(SHARES.length)]!,
    ),
  begin: (world, fault) => world.registryNamed(fault.target).failing.turnUp(Math.max(1, fault.amount)),
};
