import type { World } from '../world/world.ts';
import { drawFault } from './draw-fault.ts';
import type { FaultKind } from './fault-kind.ts';
import { forHowLong } from './fault-words.ts';

/** The regions are cut off from each other: each goes on with its own chats, and devices reach both. */
export const regionCut: FaultKind = {
  kind: 'region-cut',
  classes: ['network', 'shape'],
  mayBePermanent: false,
  targets: (topology) => (topology.regions === 2 ? [TARGET] : []),
  describe: (fault) => `the two regions are cut off from each other ${forHowLong(fault)}`,
  draw(draws, setting) {
    return drawFault('region-cut', this.targets(setting.topology), draws, setting, 0);
  },
  begin(world) {
    const opens = borderOf(world).flatMap(([here, there]) => [
      world.network.block(here, there, 'lost'),
      world.network.block(there, here, 'lost'),
    ]);
    return () => {
      for (const open of opens) open();
    };
  },
};

/** A host: shrinking renames it with its fellows, and any name means the whole border. */
const TARGET = 'service-0';

/** Every pair of nodes on two sides of it. */
function borderOf(world: World): readonly (readonly [number, number])[] {
  const sides = world.stores.map((_, region) => nodesOf(world, region));
  const [here = [], there = []] = sides;
  return here.flatMap((one) => there.map((other) => [one, other] as const));
}

function nodesOf(world: World, region: number): readonly number[] {
  const { gateways, services, relays, workers } = world;
  const hosts = [...gateways, ...services, ...relays, ...workers].filter(
    (host) => host.regionIndex === region,
  );
  return [
    world.stores[region]!.index,
    world.registries[region]!.index,
    // A topic lies where it is produced.
    ...world.topics[region]!.map((topic) => topic.index),
    ...hosts.map((host) => host.index),
  ];
}
