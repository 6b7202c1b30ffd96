import { enginesOf } from '../world/engine-names.ts';
import { drawFault } from './draw-fault.ts';
import type { FaultKind } from './fault-kind.ts';
import { forHowLong } from './fault-words.ts';

/** The session registry has no memory left and evicts nobody: who is registered is renewed and found, nobody new comes in. */
export const registryFull: FaultKind = {
  kind: 'registry-full',
  classes: ['registry'],
  mayBePermanent: false,
  targets: (topology) => enginesOf('registry', topology),
  describe: (fault) => `the session registry takes nobody new ${forHowLong(fault)}`,
  draw: (draws, setting) =>
    drawFault('registry-full', enginesOf('registry', setting.topology), draws, setting, 0),
  begin: (world, fault) => world.registryNamed(fault.target).full.turnUp(Math.max(1, fault.amount)),
};
