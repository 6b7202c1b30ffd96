import fc, { type Arbitrary } from 'fast-check';
import { DEFAULT_LIMITS, type Limits } from '../../core/contract/limits.ts';
import { Draws } from '../engine/draws.ts';
import { FAULT_KINDS, faultKind } from '../faults/fault-kinds.ts';
import type { FaultKind } from '../faults/fault-kind.ts';
import type { ChatPlan, DeviceTransport, Fault, Op, Scenario, Topology } from '../scenario.ts';
import { scaledDurations, SPEEDS, TIGHT_LIMITS } from './knob-choices.ts';
import { inTwoRegions } from './draw-topology.ts';
import { type Moments, nearMoment } from './moments.ts';

const SECOND = 1_000_000;
/** Times are drawn as parts of the safety phase, so that they shrink together with it. */
const WHOLE = 10_000;
const MOST_OPS = 60;
const MOST_FAULTS = 8;
const UINT32 = 0xffff_ffff;
const STREAM = { fault: 1, time: 2 } as const;

/** Weights by repetition; the first is what every operation shrinks to. */
const OP_WEIGHTS: readonly (readonly [Op['op'], number])[] = [
  ['send', 6],
  ['read', 2],
  ['open', 2],
  ['close', 1],
  ['typing', 1],
  ['offline', 1],
  ['online', 2],
  ['add-member', 1],
  ['remove-member', 1],
];

/** Every kind of operation there is. */
export const OP_KINDS: readonly Op['op'][] = OP_WEIGHTS.map(([op]) => op);

/** What scenarios are drawn from: everything, unless named. An empty list: none of it. */
export interface ScenarioChoice {
  readonly faults?: readonly string[];
  readonly ops?: readonly Op['op'][];
}

/**
 * Scenarios for fast-check, valid by construction. What is drawn is one plain record of numbers and lists without any
 * `chain`, so that each part shrinks without the others; what they mean is found by `scenarioOf`. It is a swarm: each
 * scenario first draws which operations and kinds of fault exist in it at all.
 *
 * @throws Error for a kind of fault or operation that does not exist.
 */
export function scenarios(choice: ScenarioChoice = {}): Arbitrary<Scenario> {
  const faults = choice.faults?.map(knownFault) ?? FAULT_KINDS;
  const ops = choice.ops?.map(knownOp) ?? OP_KINDS;
  return fc.record(partsOf(ops, faults)).map(scenarioOf);
}

function knownFault(name: string): FaultKind {
  const kind = faultKind(name);
  if (kind !== undefined) return kind;
  throw new Error(
    `faults: there is no ${JSON.stringify(name)}, only ${FAULT_KINDS.map((k) => k.kind).join(', ')}`,
  );
}

function knownOp(op: Op['op']): Op['op'] {
  if (OP_KINDS.includes(op)) return op;
  throw new Error(`ops: there is no ${JSON.stringify(op)}, only ${OP_KINDS.join(', ')}`);
}

const index = (below: number): Arbitrary<number> => fc.integer({ min: 0, max: below - 1 });
const many = <Item>(item: Arbitrary<Item>, maxLength: number): Arbitrary<Item[]> =>
  fc.array(item, { maxLength, size: 'max' });

const OP_PART = {
  pick: index(1_000),
  device: index(16),
  chat: index(4),
  user: index(8),
  by: index(8),
  bytes: fc.integer({ min: 1, max: 2_000 }),
  at: index(WHOLE),
  draw: index(UINT32),
};
const FAULT_PART = { pick: index(1_000), at: index(WHOLE), draw: index(UINT32) };

function partsOf(ops: readonly Op['op'][], faults: readonly FaultKind[]) {
  return {
    seed: fc.integer({ min: 0, max: UINT32 }),
    network: fc.constantFrom('local' as const, 'region' as const, 'mobile' as const),
    speed: index(3),
    wire: fc.integer({ min: 0, max: 9 }).map((n) => n === 9),
    transports: fc.array(fc.constantFrom<DeviceTransport>('websocket', 'auto', 'poll', 'proxied'), {
      maxLength: 3,
    }),
    seconds: fc.integer({ min: 5, max: 60 }),
    aged: fc.boolean(),
    tight: many(fc.record({ name: index(TIGHT_LIMITS.length), value: index(8) }), 5),
    nodes: fc.record({
      gateways: fc.integer({ min: 1, max: 3 }),
      services: fc.integer({ min: 1, max: 2 }),
      relays: fc.integer({ min: 1, max: 2 }),
      workers: fc.integer({ min: 1, max: 3 }),
      partitions: fc.integer({ min: 1, max: 4 }),
    }),
    users: fc.integer({ min: 2, max: 6 }),
    twoRegions: fc.integer({ min: 0, max: 4 }).map((n) => n === 4),
    moreDevices: index(7),
    chats: fc.array(fc.array(index(8), { minLength: 2, maxLength: 6 }), { minLength: 1, maxLength: 3 }),
    direct: fc.boolean(),
    moments: fc.array(index(WHOLE), { maxLength: 3 }),
    opsOn: fc.subarray([...ops]),
    ops: many(fc.record(OP_PART), MOST_OPS),
    faultsOn: fc.subarray([...faults]),
    faults: many(fc.record(FAULT_PART), MOST_FAULTS),
    sends: fc.constant(ops.includes('send')),
  };
}

type Drawn<Parts> = {
  readonly [Name in keyof Parts]: Parts[Name] extends Arbitrary<infer Value> ? Value : never;
};
type ScenarioParts = Drawn<ReturnType<typeof partsOf>>;
type OpPart = ScenarioParts['ops'][number];

function scenarioOf(parts: ScenarioParts): Scenario {
  const { network, seed } = parts;
  const topology = topologyOf(parts);
  const speeds = SPEEDS[network];
  const speed = speeds[parts.speed % speeds.length]!;
  const limits = { ...scaledDurations(speed), ...tightLimits(parts.tight) };
  const length = Math.floor((parts.seconds * SECOND) / speed);
  // As in the campaigns: sessions that are older than a lease repair less by chance.
  const resolved: Limits = { ...DEFAULT_LIMITS, ...limits };
  const age = parts.aged ? resolved.leaseTtl + 2 * resolved.leaseRenew : 0;
  const at = parts.moments.map((part) => partOf(length, part));
  const moments: Moments = { at, share: 600, spread: Math.max(1, Math.floor(length / 50)) };
  const timeOf = (draw: number, part: number): number =>
    age + nearMoment(new Draws(draw, STREAM.time), moments, length, partOf(length, part));
  // Without sends nothing can go wrong, so they are always there, unless they are not wanted.
  const kinds = OP_WEIGHTS.filter(([op]) => parts.opsOn.includes(op) || (op === 'send' && parts.sends));
  const weighted = kinds.flatMap(([op, weight]) => Array.from({ length: weight }, () => op));
  const ops = weighted.length === 0 ? [] : parts.ops;
  return {
    version: 1,
    seed,
    topology,
    knobs: {
      limits,
      network,
      wire: parts.wire,
      ...(parts.transports.length === 0 ? {} : { transports: parts.transports }),
      safetyMicros: age + length,
    },
    ops: ops
      .map((part) => opOf(weighted[part.pick % weighted.length]!, timeOf(part.draw, part.at), part, topology))
      .sort((a, b) => a.at - b.at),
    faults: faultsOf(parts, topology, { length, end: age + length }, timeOf).sort((a, b) => a.at - b.at),
  };
}

const partOf = (length: number, part: number): number => Math.floor((length * part) / WHOLE);

function topologyOf(parts: ScenarioParts): Topology {
  const { nodes, users } = parts;
  const devices = users + Math.min(users, parts.moreDevices);
  const chats = parts.chats.map((members, i): ChatPlan => {
    // Two users have at most one direct chat, so only the first can be one.
    if (!parts.direct || i > 0) {
      return { kind: 'group', members: [...new Set(members.map((user) => user % users))] };
    }
    const owner = members[0]! % users;
    return { kind: 'direct', members: [owner, (owner + 1 + (members[1]! % (users - 1))) % users] };
  });
  const topology = { ...nodes, users, devices, chats };
  return parts.twoRegions ? inTwoRegions(topology) : topology;
}

function tightLimits(tight: ScenarioParts['tight']): Partial<Record<keyof Limits, number>> {
  const limits: Partial<Record<keyof Limits, number>> = {};
  for (const { name, value } of tight) {
    const [limit, values] = TIGHT_LIMITS[name]!;
    limits[limit] = values[value % values.length]!;
  }
  return limits;
}

function opOf(op: Op['op'], at: number, part: OpPart, topology: Topology): Op {
  const chat = part.chat % topology.chats.length;
  const { members } = topology.chats[chat]!;
  const user = part.user % topology.users;
  const any = part.device % topology.devices;
  // Mostly a member's: his first device or his second. Now and then a stranger's.
  const member = members[part.device % members.length]!;
  const second = member + topology.users;
  const device = part.by === 7 ? any : part.by % 2 === 1 && second < topology.devices ? second : member;
  switch (op) {
    case 'send':
      return { at, op, device, chat, bytes: part.bytes };
    case 'read':
    case 'open':
    case 'close':
    case 'typing':
      return { at, op, device, chat };
    case 'offline':
    case 'online':
      return { at, op, device: any };
    case 'add-member':
    case 'remove-member': {
      // Mostly the owner, who may.
      const by = part.by < 6 ? members[0]! : part.by % topology.users;
      const isAdmin = op === 'add-member' && part.bytes % 3 === 0;
      return isAdmin ? { at, op, by, user, chat, role: 'admin' } : { at, op, by, user, chat };
    }
  }
}

function faultsOf(
  parts: ScenarioParts,
  topology: Topology,
  { length, end }: { readonly length: number; readonly end: number },
  timeOf: (draw: number, part: number) => number,
): Fault[] {
  const { faultsOn } = parts;
  if (faultsOn.length === 0) return [];
  return parts.faults.flatMap((part): Fault[] => {
    const kind = faultsOn[part.pick % faultsOn.length]!;
    const draws = new Draws(part.draw, STREAM.fault);
    const fault = kind.draw(draws, { topology, safetyMicros: length });
    if (fault === undefined) return [];
    const at = timeOf(part.draw, part.at);
    const moved = { ...fault, at, for: Math.min(fault.for, end - at) };
    return [kind.mayBePermanent && draws.perMille(50) ? { ...moved, permanent: true } : moved];
  });
}
