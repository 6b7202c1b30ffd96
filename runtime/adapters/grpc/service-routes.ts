import { regionOf, type Placement } from '../../../core/contract/placement.ts';
import { hashText, keyedHash } from '../../../core/contract/random.ts';
import type { NodeId } from '../../../core/contract/ids.ts';
import type { ServiceRequest } from '../../../core/session/service-call.ts';
import type { NodeRecord } from '../../ports/node-directory.ts';

interface Candidate {
  readonly nodeId: NodeId;
  readonly hash: number;
}

/** Keeps the scores of one chat at different services apart from other uses of the hash. */
const STREAM = 0x11_4b5;

/**
 * Which message service a request goes to: one in the region of its chat (of its creator, for a chat that has no id
 * yet); among those, rendezvous hashing of the chat, so that a chat stays where it is loaded and only the chats of a service
 * that comes or goes move (Thaler and Ravishankar, "A Name-Based Mapping Scheme for Rendezvous", 1996). Two services that
 * both get a chat's requests cost a reload, nothing else.
 */
export class ServiceRoutes {
  readonly #placement: Placement;
  #byRegion = new Map<string, Candidate[]>();

  constructor(placement: Placement) {
    this.#placement = placement;
  }

  /** Takes the services of a new view over. */
  update(records: Iterable<NodeRecord>): void {
    this.#byRegion = new Map();
    for (const { nodeId, role, region } of records) {
      if (role !== 'message-service' && role !== 'all') continue;
      const candidate = { nodeId, hash: hashText(nodeId) };
      const known = this.#byRegion.get(region);
      if (known === undefined) this.#byRegion.set(region, [candidate]);
      else known.push(candidate);
    }
  }

  /**
   * @param usable passes over services whose link is down or that are leaving, as long as there is another.
   * @returns undefined when no service of the region is known.
   */
  serviceFor(request: ServiceRequest, usable: (service: NodeId) => boolean): NodeId | undefined {
    const key = request.kind === 'create-chat' ? request.userId : request.chatId;
    const candidates = this.#byRegion.get(regionOf(this.#placement, key));
    if (candidates === undefined) return undefined;
    return best(candidates, hashText(key), usable) ?? best(candidates, hashText(key), () => true);
  }
}

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
