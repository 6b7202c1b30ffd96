import { enginesOf } from '../world/engine-names.ts';
import { drawInstant } from './draw-fault.ts';
import type { FaultKind } from './fault-kind.ts';
import { nothing } from './take-down.ts';

/** The session registry loses everything that it knew. */
export const registryFlush: FaultKind = {
  kind: 'registry-flush',
  classes: ['registry'],
  mayBePermanent: false,
  targets: (topology) => enginesOf('registry', topology),
  describe: () => 'the session registry loses everything',
  draw: (draws, setting) =>
    drawInstant('registry-flush', enginesOf('registry', setting.topology), draws, setting, 0),
  begin(world, fault) {
    world.registryNamed(fault.target).model.loseEverything(world.engine.now);
    return nothing;
  },
};
