import type { DeviceHost } from './device-host.ts';
import type { GatewayHost } from './gateway-host.ts';
import type { Host } from './host.ts';
import type { World } from './world.ts';

/**
 * The devices that can be reached once everything but the permanent faults is over: those that run and have an open way
 * to a gateway which serves, provided that every role of the service has somebody left who can work.
 */
export function servedDevices(world: World): DeviceHost[] {
  const { gateways, services, relays, workers } = world;
  const { stores, registries, topics } = world;
  const works = (region: number, hosts: readonly Host[], engines: readonly number[]): boolean =>
    hosts.some(
      (host) =>
        host.up &&
        host.regionIndex === region &&
        engines.every((engine) => isOpen(world, host.index, engine)),
    );
  for (let region = 0; region < stores.length; region++) {
    const store = stores[region]!.index;
    const produced = topics[region]!.map((topic) => topic.index);
    const consumed = topics.map((homes) => homes[region]!.index);
    if (!works(region, services, [store]) || !works(region, relays, [store, ...produced])) return [];
    if (!works(region, workers, [...consumed, registries[region]!.index])) return [];
  }
  const engines = [...stores, ...registries].map((engine) => engine.index);
  const serving = gateways.filter(
    (gateway) =>
      world.balancer.isHealthy(gateway) && engines.every((engine) => isOpen(world, gateway.index, engine)),
  );
  return world.devices.filter(
    (device) => device.up && device.findsAWay && serving.some((gateway) => canReach(world, device, gateway)),
  );
}

function canReach(world: World, device: DeviceHost, gateway: GatewayHost): boolean {
  return isOpen(world, device.index, gateway.index);
}

function isOpen(world: World, one: number, other: number): boolean {
  return world.network.state(one, other) === 'open' && world.network.state(other, one) === 'open';
}
