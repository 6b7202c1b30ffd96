import type { ChatPlan, Op, Scenario } from '../scenario.ts';
import type { Attempt, Pass } from './attempt.ts';
import { renameTargets } from './rename-nodes.ts';

/** Takes away nodes, chats, members, users and devices, and renumbers what is left. */
export const shrinkTopology: Pass = (scenario, attempt) => {
  let best = oneRegion(scenario, attempt);
  for (const role of ROLES) best = fewerNodes(best, role, attempt);
  while (best.topology.partitions > 1) {
    const partitions = best.topology.partitions - 1;
    const candidate = { ...best, topology: { ...best.topology, partitions } };
    if (!attempt(candidate)) break;
    best = candidate;
  }
  best = each(best, (s) => s.topology.chats.length, withoutChat, attempt);
  best = each(best, (s) => s.topology.users, withoutUser, attempt);
  best = each(best, (s) => s.topology.devices, withoutDevice, attempt);
  return each(best, memberCount, withoutMember, attempt);
};

function oneRegion(scenario: Scenario, attempt: Attempt): Scenario {
  if (scenario.topology.regions !== 2) return scenario;
  const { regions: _, ...topology } = scenario.topology;
  const target = (name: string): string => name.replace(/^(store|registry|queue)-[-\d]+/, '$1');
  const faults = scenario.faults
    .filter((fault) => fault.kind !== 'region-cut')
    .map((fault) => ({ ...fault, target: fault.target.split('~').map(target).join('~') }));
  const candidate = { ...scenario, topology, faults };
  return attempt(candidate) ? candidate : scenario;
}

/** Tries to take away thing number n, from the last to the first. */
function each(
  scenario: Scenario,
  count: (scenario: Scenario) => number,
  without: (scenario: Scenario, index: number) => Scenario | undefined,
  attempt: Attempt,
): Scenario {
  let best = scenario;
  for (let index = count(best) - 1; index >= 0; index--) {
    const candidate = without(best, index);
    if (candidate !== undefined && attempt(candidate)) best = candidate;
  }
  return best;
}

const ROLES = [
  { field: 'gateways', name: 'gateway' },
  { field: 'services', name: 'service' },
  { field: 'relays', name: 'relay' },
  { field: 'workers', name: 'worker' },
] as const;

function fewerNodes(scenario: Scenario, role: (typeof ROLES)[number], attempt: Attempt): Scenario {
  let best = scenario;
  for (
    let gone = best.topology[role.field] - 1;
    gone >= 0 && best.topology[role.field] > (best.topology.regions ?? 1);
    gone--
  ) {
    const topology = { ...best.topology, [role.field]: best.topology[role.field] - 1 };
    const closeGap = (index: number): number => (index > gone ? index - 1 : index);
    // First with the faults of that node turned to its neighbour, then without them.
    const turned = renameTargets(best.faults, role.name, (index) =>
      index === gone ? Math.max(0, gone - 1) : closeGap(index),
    );
    const dropped = renameTargets(best.faults, role.name, (index) =>
      index === gone ? undefined : closeGap(index),
    );
    for (const faults of [dropped, turned]) {
      const candidate = { ...best, topology, faults };
      if (!attempt(candidate)) continue;
      best = candidate;
      break;
    }
  }
  return best;
}

function withoutChat(scenario: Scenario, gone: number): Scenario | undefined {
  const chats = scenario.topology.chats.filter((_, i) => i !== gone);
  if (chats.length === 0) return undefined;
  const ops = scenario.ops.flatMap((op): Op[] => {
    if (!('chat' in op)) return [op];
    if (op.chat === gone) return [];
    return [op.chat > gone ? { ...op, chat: op.chat - 1 } : op];
  });
  return { ...scenario, topology: { ...scenario.topology, chats }, ops };
}

/** Gives users other numbers; `to` is undefined for who is gone, with devices, operations and places in chats. */
function renumberUsers(
  scenario: Scenario,
  users: number,
  to: (user: number) => number | undefined,
): Scenario | undefined {
  const { topology } = scenario;
  const chats: ChatPlan[] = [];
  for (const chat of topology.chats) {
    const members = chat.members.map(to).filter((user) => user !== undefined);
    if (members.length === 0 || (chat.kind === 'direct' && members.length !== 2)) return undefined;
    chats.push({ kind: chat.kind, members });
  }
  const toDevice = (device: number): number | undefined => {
    const user = to(device % topology.users);
    return user === undefined ? undefined : Math.floor(device / topology.users) * users + user;
  };
  const devices: number[] = [];
  for (let device = 0; device < topology.devices; device++) {
    const moved = toDevice(device);
    if (moved !== undefined) devices.push(moved);
  }
  // Devices are dealt in turn: the last round may be short, but has no hole.
  devices.sort((a, b) => a - b);
  if (devices.some((device, i) => device !== i)) return undefined;
  const ops = scenario.ops.flatMap((op): Op[] => {
    if ('device' in op) {
      const device = toDevice(op.device);
      return device === undefined ? [] : [{ ...op, device }];
    }
    const by = to(op.by);
    const user = to(op.user);
    return by === undefined || user === undefined ? [] : [{ ...op, by, user }];
  });
  const faults = renameTargets(scenario.faults, 'device', toDevice);
  return { ...scenario, topology: { ...topology, users, devices: devices.length, chats }, ops, faults };
}

function withoutUser(scenario: Scenario, gone: number): Scenario | undefined {
  const { users } = scenario.topology;
  if (users <= 1) return undefined;
  return renumberUsers(scenario, users - 1, (user) =>
    user === gone ? undefined : user > gone ? user - 1 : user,
  );
}

/**
 * Takes a device away. Devices are dealt to users in turn, so only one that was dealt to in the last round can go: the
 * device changes place with its user's last one, and the user with the last one dealt to.
 */
function withoutDevice(scenario: Scenario, device: number): Scenario | undefined {
  const { users, devices } = scenario.topology;
  if (devices <= 1) return undefined;
  const gone = devices - 1;
  const user = device % users;
  const lastOfUser = user + users * Math.floor((gone - user) / users);
  const lastUser = gone % users;
  if (Math.floor(lastOfUser / users) !== Math.floor(gone / users)) return undefined;
  const own = renameDevices(scenario, (d) => (d === device ? lastOfUser : d === lastOfUser ? device : d));
  const swapped = renumberUsers(own, users, (u) => (u === user ? lastUser : u === lastUser ? user : u));
  if (swapped === undefined) return undefined;
  const rest = renameDevices(swapped, (d) => (d === gone ? undefined : d));
  return { ...rest, topology: { ...rest.topology, devices: gone } };
}

/** Gives devices other numbers; what a device that is gone did, and what struck it, goes with it. */
function renameDevices(scenario: Scenario, to: (device: number) => number | undefined): Scenario {
  const ops = scenario.ops.flatMap((op): Op[] => {
    if (!('device' in op)) return [op];
    const device = to(op.device);
    return device === undefined ? [] : [device === op.device ? op : { ...op, device }];
  });
  return { ...scenario, ops, faults: renameTargets(scenario.faults, 'device', to) };
}

function memberCount({ topology }: Scenario): number {
  return topology.chats.reduce((sum, chat) => sum + chat.members.length, 0);
}

/** Takes one member out of one chat; `index` counts the members of all chats. */
function withoutMember(scenario: Scenario, index: number): Scenario | undefined {
  let skip = index;
  const chats = scenario.topology.chats.map((chat) => {
    const place = skip;
    skip -= chat.members.length;
    if (place < 0 || place >= chat.members.length || chat.kind === 'direct' || chat.members.length === 1)
      return chat;
    return { ...chat, members: chat.members.filter((_, i) => i !== place) };
  });
  const shorter = chats.some((chat, i) => chat !== scenario.topology.chats[i]);
  return shorter ? { ...scenario, topology: { ...scenario.topology, chats } } : undefined;
}
