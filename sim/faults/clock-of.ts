import type { Topology } from '../scenario.ts';
import type { NodeClock } from '../world/node-clock.ts';
import type { World } from '../world/world.ts';
import { deviceNames, processNames } from './fault-targets.ts';

/** Nodes with a clock that decides something. */
export function clockNames(topology: Topology): string[] {
  return [...processNames(topology), 'registry', ...deviceNames(topology)];
}

export function clockOf(world: World, target: string): NodeClock | undefined {
  return target === 'registry' ? world.registry.clock : world.hostNamed(target)?.clock;
}
