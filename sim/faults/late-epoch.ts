import { SECOND } from '../../core/contract/time.ts';
import { DeviceHost } from '../world/device-host.ts';
import type { World } from '../world/world.ts';
import { drawAmount, drawFault } from './draw-fault.ts';
import type { FaultKind } from './fault-kind.ts';
import { FaultScript } from './fault-script.ts';
import { deviceNames } from './fault-targets.ts';
import { forHowLong, span } from './fault-words.ts';
import { loseConnection } from './lose-connection.ts';
import { cutLink, nothing } from './take-down.ts';

const MOST = 8 * SECOND;
/** Parts of the safety phase that it lasts, per mille: a quarter of it must be enough to connect. */
const LENGTHS = [100, 200, 300, 500];

/**
 * A gateway is told the epoch of a connection when a newer one of the same device has come and gone there: it believes in
 * a session that nobody has, while the registry still holds the newer one, since its end waits for up to `amount`
 * microseconds. In four quarters: connect while the store is slow; connect anew, unheard; leave, heard; stay away.
 */
export const lateEpoch: FaultKind = {
  kind: 'late-epoch',
  classes: ['store', 'device', 'shape'],
  mayBePermanent: false,
  hurtsAfter: 500,
  targets: deviceNames,
  describe: (fault) =>
    `${fault.target} connects twice and leaves while the store answers late, and calls to the registry wait for up to ${span(fault.amount)}, ${forHowLong(fault)}`,
  draw(draws, setting) {
    const { safetyMicros, topology } = setting;
    const amount = drawAmount(draws, setting, 1_000, MOST);
    const fault = drawFault('late-epoch', deviceNames(topology), draws, setting, amount);
    const wanted = Math.max(1, Math.floor((safetyMicros * draws.pick(LENGTHS)!) / 1_000));
    return fault === undefined ? undefined : { ...fault, for: Math.min(wanted, safetyMicros - fault.at) };
  },
  begin(world, fault) {
    const device = world.hostNamed(fault.target);
    if (!(device instanceof DeviceHost)) return nothing;
    const script = new FaultScript(world);
    // So that the answer comes at any time until the end, the first two quarters included.
    const slowness = Math.max(2, Math.ceil(fault.for / usualCommit(world)));
    const slow = world.stores.map((store) => script.hold(store.slowness.turnUp(slowness)));
    loseConnection(world, device, false);
    script.later(fault.for / 4, () => {
      for (const end of slow) end();
      loseConnection(world, device, true);
    });
    script.later(fault.for / 2, () => {
      for (const registry of world.registries)
        script.hold(registry.backlog.turnUp(Math.max(1, fault.amount)));
      loseConnection(world, device, false);
      script.hold(cutLink(world, device.name, 'lost'));
    });
    return script.end;
  },
};

/** Microseconds. */
function usualCommit({ network }: World): number {
  const { commit } = network.profile;
  return commit[commit.length / 2]!;
}
