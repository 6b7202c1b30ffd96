import type { Host } from '../world/host.ts';
import { ANY_NODE } from '../world/network.ts';
import type { World } from '../world/world.ts';

/** Nothing to end. */
export const nothing = (): void => {};

/** Crashes a host. @param silent power loss: its peers are not told. @returns what starts it again. */
export function takeDown(host: Host, silent: boolean): () => void {
  host.downs++;
  host.stop(silent);
  return () => {
    host.downs--;
    host.start();
  };
}

/** The ends of a link "a~b", or of everything around "a". Undefined when the topology has no such node. */
export function endsOf(world: World, target: string): readonly [number, number] | undefined {
  const at = target.indexOf('~');
  const from = world.indexOf(at < 0 ? target : target.slice(0, at));
  const to = at < 0 ? ANY_NODE : world.indexOf(target.slice(at + 1));
  return from === undefined || to === undefined ? undefined : [from, to];
}

/** Blocks a link in both directions. @returns what opens it again. */
export function cutLink(world: World, target: string, mode: 'held' | 'lost'): () => void {
  const ends = endsOf(world, target);
  if (ends === undefined) return nothing;
  const [from, to] = ends;
  const openThere = world.network.block(from, to, mode);
  const openBack = world.network.block(to, from, mode);
  return () => {
    openThere();
    openBack();
  };
}
