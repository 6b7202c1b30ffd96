import type { Draws } from '../engine/draws.ts';
import type { ChatPlan, Topology } from '../scenario.ts';

/** Small systems, mostly: what goes wrong between ten users goes wrong between three, in a tenth of the time. */
export function drawTopology(draws: Draws, smallest: boolean): Topology {
  if (smallest) return drawSmallest(draws);
  const size = draws.int(10);
  const most = size < 6 ? 3 : size < 9 ? 5 : 8;
  const users = 2 + draws.int(most - 1);
  const devices = users + draws.int(users + 1);
  const topology = {
    gateways: 1 + draws.int(size < 4 ? 2 : 3),
    services: 1 + draws.int(size < 4 ? 1 : 2),
    relays: 1 + draws.int(size < 4 ? 1 : 2),
    workers: 1 + draws.int(size < 4 ? 1 : 3),
    partitions: 1 + draws.int(size < 4 ? 2 : 4),
    users,
    devices,
    chats: drawChats(draws, users),
  };
  return draws.perMille(TWO_REGIONS) ? inTwoRegions(topology) : topology;
}

/** Of the larger systems, per mille. */
const TWO_REGIONS = 250;

/** Each region needs somebody of every role. */
export function inTwoRegions(topology: Topology): Topology {
  const { gateways, services, relays, workers } = topology;
  const two = (count: number): number => Math.max(2, count);
  return {
    ...topology,
    regions: 2,
    gateways: two(gateways),
    services: two(services),
    relays: two(relays),
    workers: two(workers),
  };
}

/** One of each, or two of one. */
function drawSmallest(draws: Draws): Topology {
  const second = draws.int(12);
  const users = 2 + draws.int(2);
  return {
    gateways: second < 3 ? 2 : 1,
    services: second === 3 ? 2 : 1,
    relays: second === 4 ? 2 : 1,
    workers: second === 5 || second === 6 ? 2 : 1,
    partitions: 1,
    users,
    devices: users + draws.int(2),
    chats: drawChats(draws, users).slice(0, 1),
  };
}

function drawChats(draws: Draws, users: number): ChatPlan[] {
  const chats: ChatPlan[] = [];
  const count = 1 + draws.int(3);
  for (let i = 0; i < count; i++) {
    const members = shuffled(draws, users);
    // The same two users have one direct chat.
    const direct = i === 0 && draws.perMille(300);
    const size = direct ? 2 : draws.perMille(500) ? users : 1 + draws.int(users);
    chats.push({ kind: direct ? 'direct' : 'group', members: members.slice(0, size) });
  }
  return chats;
}

function shuffled(draws: Draws, count: number): number[] {
  const list = Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    const j = draws.int(i + 1);
    const kept = list[i]!;
    list[i] = list[j]!;
    list[j] = kept;
  }
  return list;
}
