import { drawInstant } from './draw-fault.ts';
import type { FaultKind } from './fault-kind.ts';
import { nothing } from './take-down.ts';

const TARGETS = ['registry'];

/** The session registry loses everything that it knew. */
export const registryFlush: FaultKind = {
  kind: 'registry-flush',
  classes: ['registry'],
  mayBePermanent: false,
  targets: () => TARGETS,
  describe: () => 'the session registry loses everything',
  draw: (draws, setting) => drawInstant('registry-flush', TARGETS, draws, setting, 0),
  begin(world) {
    world.registry.model.loseEverything();
    return nothing;
  },
};
