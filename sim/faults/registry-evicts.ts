import { enginesOf } from '../world/engine-names.ts';
import { drawInstant } from './draw-fault.ts';
import type { FaultKind } from './fault-kind.ts';
import { nothing } from './take-down.ts';

const SHARES = [100, 300, 600, 1_000];

/**
 * The session registry is full and throws some users away, among them who is connected: unlike a flush, the devices of one
 * user vanish while those of his chats are found. `amount`: chance of each user, per mille.
 */
export const registryEvicts: FaultKind = {
  kind: 'registry-evicts',
  classes: ['registry'],
  mayBePermanent: false,
  targets: (topology) => enginesOf('registry', topology),
  describe: (fault) => `the session registry evicts ${fault.amount / 10} % of its users`,
  draw: (draws, setting) =>
    drawInstant(
      'registry-evicts',
      enginesOf('registry', setting.topology),
      draws,
      setting,
      SHARES[draws.int(SHARES.length)]!,
    ),
  begin(world, fault, draws) {
    world.registryNamed(fault.target).evict(fault.amount, draws.int(65_536));
    return nothing;
  },
};
