import type { NodeId } from '../contract/ids.ts';
import { type Placement, regionOf } from '../contract/placement.ts';
import { hashText, keyedHash } from '../contract/random.ts';
import type { ServiceRequest } from './service-call.ts';

/**
 * Which message service a request goes to: one in the region of its chat (of its creator, for a chat that has no id
 * yet); among those, rendezvous hashing of the chat, so that a chat stays where it is loaded and only the chats of a service
 * that comes or goes move (Thaler and Ravishankar, "A Name-Based Mapping Scheme for Rendezvous", 1996). Two services that
 * both get a chat's requests cost a reload, nothing else.
 */
export interface ServiceRoutes {
  readonly placement: Placement;
  readonly byRegion: ReadonlyMap<string, readonly Candidate[]>;
}

interface Candidate {
  readonly nodeId: NodeId;
  readonly hash: number;
}

/** Keeps the scores of one chat at different services apart from other uses of the hash. */
const STREAM = 0x11_4b5;

/** @param services all that are known, whether they can be reached or not. */
export function createServiceRoutes(
  placement: Placement,
  services: Iterable<{ readonly nodeId: NodeId; readonly region: string }>,
): ServiceRoutes {
  const byRegion = new Map<string, Candidate[]>();
  for (const { nodeId, region } of services) {
    const candidate = { nodeId, hash: hashText(nodeId) };
    const known = byRegion.get(region);
    if (known === undefined) byRegion.set(region, [candidate]);
    else known.push(candidate);
  }
  return { placement, byRegion };
}

/**
 * @param usable passes over services that cannot be reached or are leaving, as long as there is another.
 * @returns undefined when no service of the region is known.
 */
export function serviceFor(
  routes: ServiceRoutes,
  request: ServiceRequest,
  usable: (service: NodeId) => boolean,
): NodeId | undefined {
  const key = request.kind === 'create-chat' ? request.userId : request.chatId;
  const candidates = routes.byRegion.get(regionOf(routes.placement, key));
  if (candidates === undefined) return undefined;
  const hash = hashText(key);
  return best(candidates, hash, usable) ?? best(candidates, hash, anyService);
}

const anyService = (): boolean => true;

function best(
  candidates: readonly Candidate[],
  key: number,
  usable: (service: NodeId) => boolean,
): NodeId | undefined {
  let found: NodeId | undefined;
  let highest = -1;
  for (const { nodeId, hash } of candidates) {
    const score = keyedHash(hash, STREAM, key);
    if (score <= highest || !usable(nodeId)) continue;
    highest = score;
    found = nodeId;
  }
  return found;
}
