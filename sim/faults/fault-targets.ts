import type { Topology } from '../scenario.ts';

/** Names of what faults strike, by topology. */

export const named = (role: string, count: number): string[] =>
  Array.from({ length: count }, (_, i) => `${role}-${i}`);

export const gatewayNames = (topology: Topology): string[] => named('gateway', topology.gateways);
export const workerNames = (topology: Topology): string[] => named('worker', topology.workers);
export const deviceNames = (topology: Topology): string[] => named('device', topology.devices);

/** Every process of the service that hosts a machine. */
export function processNames(topology: Topology): string[] {
  return [
    ...gatewayNames(topology),
    ...named('service', topology.services),
    ...named('relay', topology.relays),
    ...workerNames(topology),
  ];
}

/** Ways between two nodes of the service that carry something. */
export function insideLinks(topology: Topology): string[] {
  const gateways = gatewayNames(topology);
  const services = named('service', topology.services);
  const relays = named('relay', topology.relays);
  const workers = workerNames(topology);
  return [
    ...pairs(gateways, services),
    ...pairs(workers, gateways),
    ...pairs(gateways, ['store', 'registry']),
    ...pairs(services, ['store']),
    ...pairs(relays, ['store', 'queue']),
    ...pairs(workers, ['queue', 'registry']),
  ];
}

/** Ways between a device and a gateway. */
export function deviceLinks(topology: Topology): string[] {
  return pairs(deviceNames(topology), gatewayNames(topology));
}

function pairs(ones: readonly string[], others: readonly string[]): string[] {
  return ones.flatMap((one) => others.map((other) => `${one}~${other}`));
}
