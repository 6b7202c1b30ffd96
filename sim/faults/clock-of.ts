import type { Topology } from '../scenario.ts';
import type { NodeClock } from '../world/node-clock.ts';
import { enginesOf } from '../world/engine-names.ts';
import type { World } from '../world/world.ts';
import { deviceNames, processNames } from './fault-targets.ts';

/** Nodes with a clock that decides something. */
export function clockNames(topology: Topology): string[] {
  return [...processNames(topology), ...enginesOf('registry', topology), ...deviceNames(topology)];
}

export function clockOf(world: World, target: string): NodeClock | undefined {
  return target.startsWith('registry') ? world.registryNamed(target).clock : world.hostNamed(target)?.clock;
}
