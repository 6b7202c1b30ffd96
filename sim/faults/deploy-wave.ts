import { GatewayHost } from '../world/gateway-host.ts';
import type { Host } from '../world/host.ts';
import { WorkerHost } from '../world/worker-host.ts';
import { drawFault } from './draw-fault.ts';
import type { FaultKind } from './fault-kind.ts';
import { FaultScript } from './fault-script.ts';
import { named } from './fault-targets.ts';
import { forHowLong } from './fault-words.ts';
import { takeDown } from './take-down.ts';

const TARGETS = ['gateway', 'service', 'relay', 'worker'];

/** A new version goes out: all nodes of a role are restarted one by one, gateways after a drain. */
export const deployWave: FaultKind = {
  kind: 'deploy-wave',
  classes: ['process', 'shape'],
  mayBePermanent: false,
  targets: () => TARGETS,
  describe: (fault) => `every ${fault.target} is replaced, one by one, ${forHowLong(fault)}`,
  draw: (draws, setting) => drawFault('deploy-wave', TARGETS, draws, setting, 0),
  begin(world, fault) {
    const script = new FaultScript(world);
    const hosts = named(fault.target, world.hosts.length)
      .map((name) => world.hostNamed(name))
      .filter((host): host is Host => host !== undefined);
    const turn = fault.for / Math.max(1, hosts.length);
    hosts.forEach((host, i) => {
      script.later(i * turn, () => {
        const back = script.hold(replace(host));
        script.later(turn * 0.8, back);
      });
    });
    return script.end;
  },
};

function replace(host: Host): () => void {
  if (!(host instanceof GatewayHost)) {
    const back = takeDown(host, false);
    if (host instanceof WorkerHost) host.leaveGroups();
    return back;
  }
  host.drain();
  return () => {
    host.stop(false);
    host.start();
  };
}
