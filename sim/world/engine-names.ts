import type { Topology } from '../scenario.ts';

/** Names of the engines: those of the first region bare, as there is mostly one, the others with their number. */
export function engineName(role: string, region: number): string {
  return region === 0 ? role : `${role}-${region}`;
}

/** The topic in one region's queue for recipients at home in another, or in the same. */
export function topicName(source: number, home: number): string {
  return source === home ? engineName('queue', source) : `queue-${source}-${home}`;
}

/** Every engine of a topology by ascending index. */
export function engineNames(topology: Pick<Topology, 'regions'>): string[] {
  const names = ['store', 'registry', 'queue', 'api'];
  if (topology.regions !== 2) return names;
  return [...names, 'store-1', 'registry-1', 'queue-1', topicName(0, 1), topicName(1, 0)];
}

/** Those of one role that a fault can strike. */
export function enginesOf(
  role: 'store' | 'registry' | 'queue',
  topology: Pick<Topology, 'regions'>,
): string[] {
  return topology.regions === 2 ? [role, engineName(role, 1)] : [role];
}
