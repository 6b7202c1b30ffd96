import type { DeviceHost } from './device-host.ts';
import type { GatewayHost } from './gateway-host.ts';
import type { Host } from './host.ts';
import type { World } from './world.ts';

/**
 * The devices that are certain to be served once everything but the permanent faults is over: those that run, reach a
 * gateway that serves, and reach none that takes them and cannot, provided that every region has somebody left for every
 * role.
 *
 * It is the proof that goes before the demand (sim/run-phases.ts), so it errs on the side of nobody. What may not be left
 * behind is whoever is alive, is given work, and cannot do it: a worker that the queue hears and that does not reach the
 * registry keeps its partitions, and a gateway without its registry keeps its devices. One that has lost every store lets go of
 * those who need one (core/session/store-loss.ts).
 */
export function servedDevices(world: World): DeviceHost[] {
  for (let region = 0; region < world.stores.length; region++) {
    if (!relaysWork(world, region) || !workersWork(world, region)) return [];
  }
  const listed = world.gateways.filter((gateway) => world.balancer.isHealthy(gateway));
  const serving = new Set(listed.filter((gateway) => serves(world, gateway)));
  return world.devices.filter((device) => {
    if (!device.up || !device.findsAWay) return false;
    // Who has a session, or is about to, keeps it, whatever the load balancer thinks of that gateway by now.
    const has = device.status === 'live' || device.status === 'resuming';
    const own = device
      .gateways()
      .filter((gateway) => (has ? !letsGo(world, gateway) : mayOpen(world, gateway)));
    const takers = new Set([...listed, ...own]);
    const near = [...takers].filter((gateway) => isNear(world, device, gateway));
    // Few attempts, each at any of them: it may be out of luck for longer than the run is given to settle.
    if (device.triesSeldom && near.length < takers.size) return false;
    return near.length > 0 && near.every((gateway) => serving.has(gateway));
  });
}

/** The running devices that are not `served`, and that a gateway hears: it takes what they say for a sign of life. */
export function heardDevices(world: World, served: readonly DeviceHost[]): DeviceHost[] {
  return world.devices.filter(
    (device) =>
      device.up &&
      device.findsAWay &&
      !served.includes(device) &&
      world.gateways.some(
        (gateway) => gateway.up && world.network.state(device.index, gateway.index) === 'open',
      ),
  );
}

/** One that works is enough: what another one reads and cannot publish it leaves where it is. */
function relaysWork(world: World, region: number): boolean {
  const engines = [world.stores[region]!.index, ...world.topics[region]!.map(({ index }) => index)];
  return inRegion(world.relays, region).some((relay) => relay.up && reachesAll(world, relay, engines));
}

function workersWork(world: World, region: number): boolean {
  const registry = world.registries[region]!.index;
  const workers = inRegion(world.workers, region).filter((worker) => worker.up);
  return world.topics.every((homes) => {
    const heard = workers.filter((worker) => isOpen(world, worker.index, homes[region]!.index));
    return heard.length > 0 && heard.every((worker) => isOpen(world, worker.index, registry));
  });
}

/** With one of the stores a session opens, though it never is complete without the others. */
function mayOpen(world: World, gateway: GatewayHost): boolean {
  return world.stores.some((store) => isOpen(world, gateway.index, store.index));
}

/** It pushes what it is given, is sent nobody, and sends away whoever waits for something that only a store has. */
function letsGo(world: World, gateway: GatewayHost): boolean {
  return gateway.up && !mayOpen(world, gateway) && servesButStores(world, gateway);
}

function serves(world: World, gateway: GatewayHost): boolean {
  const stores = world.stores.map(({ index }) => index);
  return reachesAll(world, gateway, stores) && servesButStores(world, gateway);
}

function servesButStores(world: World, gateway: GatewayHost): boolean {
  const registries = world.registries.map(({ index }) => index);
  return (
    reachesAll(world, gateway, registries) &&
    world.stores.every((_, home) => isAnswered(world, gateway, home))
  );
}

/** Whoever takes this gateway's requests for a region can carry them out, and answer. */
function isAnswered(world: World, gateway: GatewayHost, home: number): boolean {
  const { network } = world;
  const takers = inRegion(world.services, home).filter(
    (service) => service.up && network.state(gateway.index, service.index) === 'open',
  );
  const able = takers.every(
    (service) =>
      isOpen(world, service.index, world.stores[home]!.index) &&
      network.state(service.index, gateway.index) === 'open',
  );
  return takers.length > 0 && able;
}

/** On a way that is slower than the network is, a device may give up before it is connected. */
function isNear(world: World, device: DeviceHost, gateway: GatewayHost): boolean {
  const { network } = world;
  const { index } = gateway;
  if (network.slowness(device.index, index) + network.slowness(index, device.index) > 2) return false;
  return isOpen(world, device.index, index);
}

function inRegion<H extends Host>(hosts: readonly H[], region: number): readonly H[] {
  return hosts.filter((host) => host.regionIndex === region);
}

function reachesAll(world: World, host: Host, others: readonly number[]): boolean {
  return others.every((other) => isOpen(world, host.index, other));
}

function isOpen(world: World, one: number, other: number): boolean {
  return world.network.state(one, other) === 'open' && world.network.state(other, one) === 'open';
}
