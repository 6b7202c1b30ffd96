import { describe, expect, it } from 'vitest';
import { cutLink } from '../faults/take-down.ts';
import type { Scenario } from '../scenario.ts';
import { inTwoRegions } from '../properties/draw-topology.ts';
import { heardDevices, servedDevices } from './served-devices.ts';
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

  describe('where devices have a connection to a gateway that cannot', () => {
    const afterwards = (...broken: string[]): { served: string[]; others: string[] } => {
      const world = started();
      world.engine.runUntil(2_000_000, world);
      const [gateway] = world.devices[0]!.gateways();
      for (const engine of broken) cutLink(world, `${gateway!.name}~${engine}`, 'lost');
      const others = world.devices.filter((device) => !device.gateways().includes(gateway!));
      const names = (devices: typeof others): string[] => devices.map(({ name }) => name);
      return { served: names(servedDevices(world)), others: names(others) };
    };

    it('is everybody when it has lost the store: it sends them away', () => {
      expect(afterwards('store').served).toEqual(ALL);
    });

    it('is who is elsewhere when it has lost the registry too, and does not hear what it has missed', () => {
      const { served, others } = afterwards('store', 'registry');
      expect(served).toEqual(others);
      expect(served).not.toContain('device-0');
    });
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

describe('who is heard of, and not certain to be served', () => {
  it('is who can speak to a gateway that still runs, and cannot hear', () => {
    const world = started(SMALL, ['device-2']);
    const [device, gateways] = [world.devices[1]!.index, world.gateways];
    for (const gateway of gateways) world.network.block(gateway.index, device, 'lost');
    const served = servedDevices(world);
    expect(served.map(({ name }) => name)).toEqual(['device-0']);
    expect(heardDevices(world, served).map(({ name }) => name)).toEqual(['device-1']);
    for (const gateway of gateways) gateway.stop(true);
    expect(heardDevices(world, served)).toEqual([]);
  });
});
