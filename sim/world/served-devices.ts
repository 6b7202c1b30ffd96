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
  const { store, registry, queue } = world;
  const works = (hosts: readonly Host[], engines: readonly number[]): boolean =>
    hosts.some((host) => host.up && engines.every((engine) => isOpen(world, host.index, engine)));
  if (!works(services, [store.index]) || !works(relays, [store.index, queue.index])) return [];
  if (!works(workers, [queue.index, registry.index])) return [];
  const serving = gateways.filter(
    (gateway) => world.balancer.isHealthy(gateway) && isOpen(world, gateway.index, registry.index),
  );
  return world.devices.filter(
    (device) => device.up && serving.some((gateway) => canReach(world, device, gateway)),
  );
}

function canReach(world: World, device: DeviceHost, gateway: GatewayHost): boolean {
  return isOpen(world, device.index, gateway.index);
}

function isOpen(world: World, one: number, other: number): boolean {
  return world.network.state(one, other) === 'open' && world.network.state(other, one) === 'open';
}
