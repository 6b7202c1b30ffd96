import { drawFault } from './draw-fault.ts';
import type { FaultKind } from './fault-kind.ts';
import { forHowLong } from './fault-words.ts';

const TARGETS = ['service'];
const SHARES = [20, 100, 500, 1_000];

/**
 * Gateways do not agree which message service a chat belongs to, as while services are added or removed: several of them
 * serve one chat at a time. `amount`: per mille of the requests that go to any of them.
 */
export const misrouting: FaultKind = {
  kind: 'misrouting',
  classes: ['process'],
  mayBePermanent: true,
  unfelt: true,
  targets: (topology) => (topology.services > 1 ? TARGETS : []),
  describe: (fault) =>
    `${fault.amount / 10} % of the requests go to any message service ${forHowLong(fault)}`,
  draw(draws, setting) {
    const share = SHARES[draws.int(SHARES.length)]!;
    return drawFault('misrouting', this.targets(setting.topology), draws, setting, share);
  },
  begin: (world, fault) => world.router.misrouted.turnUp(Math.max(1, fault.amount)),
};
