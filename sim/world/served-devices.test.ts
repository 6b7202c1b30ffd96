import { describe, expect, it } from 'vitest';
import { cutLink } from '../faults/take-down.ts';
import type { Scenario } from '../scenario.ts';
import { inTwoRegions } from '../properties/draw-topology.ts';
import { servedDevices } from './served-devices.ts';
import { idleWorld, SMALL, smallScenario } from './testing-world.ts';
import type { World } from './world.ts';

const ALL = ['device-0', 'device-1', 'device-2'];

/** Devices come last: they have no connections from before. */
function started(topology = SMALL, links: readonly string[] = []): World {
  const world = idleWorld(smallScenario({ topology }));
  for (const link of links) cutLink(world, link, 'lost');
  for (const host of world.hosts) host.start();
  return world;
}

function servedWithout(...links: string[]): string[] {
  const world = started(SMALL, links);
  return servedDevices(world).map(({ name }) => name);
}

describe('who is certain to be served', () => {
  it('is everybody while nothing is broken, in one region or two', () => {
    expect(servedWithout()).toEqual(ALL);
    expect(servedDevices(started(inTwoRegions(SMALL)))).toHaveLength(SMALL.devices);
  });

  it('is everybody whom somebody else can serve: a gateway, a service or a worker fewer', () => {
    for (const broken of ['gateway-0', 'service-0', 'worker-0', 'gateway-0~store', 'worker-1~queue'])
      expect(servedWithout(broken), broken).toEqual(ALL);
    expect(servedWithout('device-1')).toEqual(['device-0', 'device-2']);
  });

  it('is nobody where somebody alive has the work and cannot do it', () => {
    for (const broken of ['worker-0~registry', 'service-1~store', 'relay-0~queue', 'registry', 'store'])
      expect(servedWithout(broken), broken).toEqual([]);
    // One gateway cannot, and is not known for it: whoever comes to it stays.
    expect(servedWithout('gateway-0~registry')).toEqual([]);
    expect(servedWithout('gateway-0~registry', 'device-1~gateway-0')).toEqual(['device-1']);
  });

  it('is who has no connection to a gateway that cannot', () => {
    const world = started();
    world.engine.runUntil(2_000_000, world);
    const [gateway] = world.devices[0]!.gateways();
    cutLink(world, `${gateway!.name}~store`, 'lost');
    const served = servedDevices(world);
    expect(served).not.toContain(world.devices[0]);
    expect(served).toEqual(world.devices.filter((device) => !device.gateways().includes(gateway!)));
  });

  it('is not who tries seldom, by polls between WebSockets that hang, and may try in vain', () => {
    const served = (transports: Scenario['knobs']['transports'], link?: string): string[] => {
      const world = idleWorld(smallScenario({ transports: transports! }));
      for (const device of world.devices) device.upgradesBlocked.turnUp(2);
      if (link !== undefined) cutLink(world, link, 'lost');
      for (const host of world.hosts) host.start();
      return servedDevices(world).map(({ name }) => name);
    };
    expect(served(['auto'])).toEqual(ALL);
    expect(served(['auto'], 'device-1~gateway-0')).toEqual(['device-0', 'device-2']);
    expect(served(['poll'], 'device-1~gateway-0')).toEqual(ALL);
  });
});
