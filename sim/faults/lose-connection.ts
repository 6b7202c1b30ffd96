import type { DeviceHost } from '../world/device-host.ts';
import type { World } from '../world/world.ts';
import { cutLink } from './take-down.ts';

/** A device loses its connection and connects anew. @param silent the gateway that had it does not hear of it. */
export function loseConnection(world: World, device: DeviceHost, silent: boolean): void {
  const gateways = silent ? device.gateways() : [];
  const opens = gateways.map((gateway) => cutLink(world, `${device.name}~${gateway.name}`, 'lost'));
  device.breakConnections();
  for (const open of opens) open();
}
