import { DEFAULT_LIMITS, type Limits } from '../../core/contract/limits.ts';
import { keyedHash } from '../../core/contract/random.ts';
import { Draws } from '../engine/draws.ts';
import type { FaultKind, FaultSetting } from '../faults/fault-kind.ts';
import { faultKind } from '../faults/fault-kinds.ts';
import { pollLossy } from '../faults/poll-lossy.ts';
import { tokenExpires } from '../faults/token-expires.ts';
import { websocketBlocked } from '../faults/websocket-blocked.ts';
import type { DeviceTransport, Fault, Knobs, Op, Scenario } from '../scenario.ts';
import { drawFaults } from './draw-faults.ts';
import { drawOps, type OpMix } from './draw-ops.ts';
import { drawStaying } from './draw-staying.ts';
import { drawTopology } from './draw-topology.ts';
import type { Moments } from './moments.ts';
import { NEVER } from '../world/looks.ts';
import { drawSituation } from './situations/draw-situation.ts';
import { scaledDurations, SPEEDS, TIGHT_LIMITS } from './knob-choices.ts';

/** One stream for each part: more chats must not change which faults there are. */
const STREAM = {
  topology: 1,
  knobs: 2,
  mix: 3,
  ops: 4,
  faults: 5,
  run: 6,
  transports: 7,
  pollFaults: 8,
  staying: 9,
  calm: 10,
  situation: 11,
} as const;

const SECOND = 1_000_000;

/** One run in five: in the usual ones a chat has fewer members than a count would be worth. */
const LARGE = 200;

/** Long runs without any fault, per mille: enough to time thousands of deliveries in each campaign. */
const CALM = 12;

/** Runs that are a situation of people, limits and faults that fit each other, per mille. */
const SITUATION = 120;

/** Two runs in five: a handful of events in the smallest system, all at one moment. Rare pairs meet there. */
const SMALLEST = 400;

/**
 * The scenario of a seed: some microseconds of keyed draws, none of them biased towards anything, so that a campaign of
 * any length keeps seeing new ones.
 *
 * @param seed an integer from 0 to 2^32 - 1.
 */
export function scenarioOfSeed(seed: number): Scenario {
  const calm = new Draws(seed, STREAM.calm);
  if (calm.perMille(CALM)) return calmScenario(seed, calm);
  const situation = new Draws(seed, STREAM.situation);
  if (situation.perMille(SITUATION)) return drawSituation(situation, keyedHash(seed, STREAM.run, 0));
  const mix = new Draws(seed, STREAM.mix);
  const smallest = mix.perMille(SMALLEST);
  const topology = drawTopology(new Draws(seed, STREAM.topology), smallest);
  const knobs = drawTransports(new Draws(seed, STREAM.transports), drawKnobs(new Draws(seed, STREAM.knobs)));
  const limits: Limits = { ...DEFAULT_LIMITS, ...knobs.limits };
  const { safetyMicros } = knobs;
  // Sessions read their heads again some time after they were registered, which repairs what was lost before. Only those
  // that are older than that show what is lost and not repaired.
  const age = mix.perMille(smallest ? 900 : 400) ? limits.leaseTtl + 2 * limits.leaseRenew : 0;
  const later = <Item extends Op | Fault>(items: Item[]): Item[] =>
    items.map((item) => ({ ...item, at: item.at + age })).sort((a, b) => a.at - b.at);
  const moments = drawMoments(mix, safetyMicros, smallest);
  // What a message lost, the next one in its chat finds; so often nobody says anything any more after the last moment.
  const last = mix.perMille(600) ? Math.max(0, ...moments.at) : 0;
  const silentFrom = last === 0 ? safetyMicros : last + moments.spread;
  const drawn = drawOpMix(mix);
  // What large chats have of their own shows to those who look.
  const large = limits.receiptMembers < DEFAULT_LIMITS.receiptMembers;
  const huge = limits.hugeGroup < DEFAULT_LIMITS.hugeGroup;
  // A group that grows huge while its members are there is what they have to notice.
  const grows = huge && mix.perMille(600) ? { hugeGroup: topology.chats[0]!.members.length } : {};
  const opMix = large ? { ...drawn, reads: true, looks: true, growth: huge && mix.perMille(700) } : drawn;
  const opSize = { count: drawCount(mix, smallest), safetyMicros, blink: limits.presenceGrace, moments };
  const ops = drawOps(new Draws(seed, STREAM.ops), topology, opMix, opSize).filter(
    (op) => op.at < silentFrom,
  );
  const faultSetting = { topology, safetyMicros };
  const faultSize = { most: smallest ? 3 : 12, moments };
  const faults = drawFaults(new Draws(seed, STREAM.faults), faultSetting, faultSize);
  // Elsewhere heads that are read without a reason would mend what must not be lost in the first place.
  const reread = faults.some(({ kind }) => faultKind(kind)?.losesEvents === true)
    ? { headsReread: limits.leaseTtl + limits.leaseRenew }
    : {};
  const scenario: Scenario = {
    version: 1,
    seed: keyedHash(seed, STREAM.run, 0),
    topology,
    knobs: { ...knobs, limits: { ...knobs.limits, ...grows, ...reread }, safetyMicros: safetyMicros + age },
    ops: later(ops),
    faults: later([...faults, ...drawPollFaults(new Draws(seed, STREAM.pollFaults), knobs, faultSetting)]),
  };
  return { ...scenario, faults: drawStaying(new Draws(seed, STREAM.staying), scenario, limits) };
}

/**
 * Nothing fails, and the limits are the usual ones: long enough that one run alone tells whether one delivery in a hundred
 * is slow, which no other run does.
 */
function calmScenario(seed: number, draws: Draws): Scenario {
  const topology = drawTopology(new Draws(seed, STREAM.topology), false);
  const safetyMicros = draws.between(20, 40) * SECOND;
  const moments = { at: [], share: 0, spread: 1 };
  const mix = { ...drawOpMix(draws), switching: false };
  const size = { count: 100 + draws.int(150), safetyMicros, blink: 1, moments };
  const ops = drawOps(new Draws(seed, STREAM.ops), topology, mix, size).sort((a, b) => a.at - b.at);
  const network = draws.perMille(500) ? 'region' : 'local';
  const knobs = { limits: {}, network, wire: draws.perMille(100), safetyMicros } as const;
  return { version: 1, seed: keyedHash(seed, STREAM.run, 0), topology, knobs, ops, faults: [] };
}

function drawMoments(draws: Draws, safetyMicros: number, smallest: boolean): Moments {
  if (smallest) {
    const at = [Math.floor(safetyMicros / 2)];
    return {
      at,
      share: 1_000,
      spread: Math.max(1, Math.floor(safetyMicros / (draws.perMille(500) ? 20 : 400))),
    };
  }
  const at = Array.from({ length: draws.int(4) }, () => draws.int(safetyMicros));
  return { at, share: 600, spread: Math.max(1, Math.floor(safetyMicros / 50)) };
}

function drawOpMix(draws: Draws): OpMix {
  return {
    reads: draws.perMille(500),
    screens: draws.perMille(400),
    typing: draws.perMille(100),
    switching: draws.perMille(400),
    members: draws.perMille(400),
    looks: false,
    growth: false,
  };
}

function drawCount(draws: Draws, smallest: boolean): number {
  if (smallest) return 1 + draws.int(4);
  const size = draws.int(10);
  return 1 + draws.int(size < 5 ? 12 : size < 9 ? 40 : 120);
}

function drawKnobs(draws: Draws): Knobs {
  const network = (['local', 'local', 'region', 'region', 'mobile'] as const)[draws.int(5)]!;
  const speeds = SPEEDS[network];
  const speed = speeds[draws.int(speeds.length)]!;
  return {
    limits: { ...scaledDurations(speed), ...drawTightLimits(draws), ...drawLargeChats(draws) },
    network,
    wire: draws.perMille(100),
    safetyMicros: Math.floor((draws.between(5, draws.perMille(300) ? 90 : 40) * SECOND) / speed),
  };
}

/** Runs in which some devices do not connect by WebSocket alone, per mille. */
const POLLING = 400;

/** Who polls, and sometimes polls that wait a moment only, a session that soon misses them, and WebSockets tried often. */
function drawTransports(draws: Draws, knobs: Knobs): Knobs {
  if (!draws.perMille(POLLING)) return knobs;
  const transports = Array.from({ length: 1 + draws.int(3) }, () => draws.pick(TRANSPORTS)!);
  const limits: Limits = { ...DEFAULT_LIMITS, ...knobs.limits };
  const short: Partial<Record<keyof Limits, number>> = {};
  if (draws.perMille(300)) short.pollPatience = Math.ceil(limits.pollPatience / draws.pick([10, 100])!);
  if (draws.perMille(200)) short.pollSilence = Math.ceil(limits.pollSilence / 3);
  if (draws.perMille(300)) short.websocketRetry = Math.ceil(limits.websocketRetry / 10);
  return { ...knobs, transports, limits: { ...knobs.limits, ...short } };
}

/**
 * What only devices that poll, or may have to, can suffer. It comes on top of the other faults, as most runs have no such
 * device; and mostly it lasts, since polls are few.
 */
function drawPollFaults(draws: Draws, { transports = [] }: Knobs, setting: FaultSetting): Fault[] {
  if (!transports.some((transport) => transport !== 'websocket') || !draws.perMille(500)) return [];
  const faults: Fault[] = [];
  for (let left = 1 + draws.int(3); left > 0; left--) {
    const fault = draws.pick(POLL_FAULTS)!.draw(draws, setting);
    if (fault === undefined) continue;
    const lasts = fault.kind === 'poll-lossy' && draws.perMille(700);
    faults.push(lasts ? { ...fault, for: setting.safetyMicros - fault.at } : fault);
  }
  return faults;
}

const POLL_FAULTS: readonly FaultKind[] = [pollLossy, pollLossy, websocketBlocked, tokenExpires];

const TRANSPORTS: readonly DeviceTransport[] = ['auto', 'auto', 'poll', 'proxied', 'websocket'];

/** Limits on whose other side lies code that little else reaches. */
const DEEPEST: ReadonlySet<keyof Limits> = new Set<keyof Limits>([
  'pushAttempts',
  'lookupBatch',
  'fanOutPage',
  'gatewayFetches',
  'inlineCiphertext',
  'receiptPage',
  'inFlightMessages',
]);

/** Chats that count as large although they are small, and often as huge, where members pull; now and then only by looking. */
function drawLargeChats(draws: Draws): Partial<Record<keyof Limits, number>> {
  if (!draws.perMille(LARGE)) return {};
  const large = { receiptMembers: 1 + draws.int(2) };
  if (draws.perMille(300)) return large;
  const huge = { ...large, hugeGroup: 1 + draws.int(2), activeDistance: draws.pick([1, 1, 2])! };
  return draws.perMille(400) ? huge : { ...huge, headCheck: NEVER, openHeadCheck: NEVER };
}

function drawOneOf(draws: Draws, names: ReadonlySet<keyof Limits>): Partial<Record<keyof Limits, number>> {
  const [name, values] = draws.pick(TIGHT_LIMITS.filter(([limit]) => names.has(limit)))!;
  return { [name]: draws.pick(values)! };
}

/** None, a few, or many at once. */
function drawTightLimits(draws: Draws): Partial<Record<keyof Limits, number>> {
  const limits: Partial<Record<keyof Limits, number>> = {};
  const kind = draws.int(10);
  // Alone too: among many tight limits one seldom gets as far as the code behind it.
  if (kind < 4) return draws.perMille(400) ? drawOneOf(draws, DEEPEST) : limits;
  const share = kind < 8 ? 80 : 300;
  for (const [name, values] of TIGHT_LIMITS) {
    if (draws.perMille(DEEPEST.has(name) ? 3 * share : share))
      limits[name] = values[draws.int(values.length)]!;
  }
  // A token that comes back between two sends of one burst is what lets the second pass the first.
  if (limits.deviceSendBurst !== undefined) limits.deviceSendInterval = draws.pick([300, 1_000, 4_000])!;
  return limits;
}

/**
 * Reads the start of a campaign: a decimal number, or the hexadecimal hash of a commit, of which the first eight digits
 * count, so that CI replays from the commit alone.
 * @returns an integer from 0 to 2^32 - 1; undefined when the text is neither.
 */
export function seedOfText(text: string): number | undefined {
  if (/^\d{1,10}$/.test(text) && Number(text) < 2 ** 32) return Number(text);
  if (/^[0-9a-f]{7,40}$/i.test(text)) return Number.parseInt(text.slice(0, 8), 16);
  return undefined;
}
