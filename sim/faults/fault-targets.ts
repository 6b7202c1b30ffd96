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
