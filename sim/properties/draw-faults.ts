import type { Draws } from '../engine/draws.ts';
import { FAULT_CLASSES, type FaultKind, type FaultSetting } from '../faults/fault-kind.ts';
import { FAULT_KINDS } from '../faults/fault-kinds.ts';
import { regionCut } from '../faults/region-cut.ts';
import type { Fault } from '../scenario.ts';
import { type Moments, nearMoment } from './moments.ts';

/**
 * The plain ones are drawn more often: what they do depends on the moment, and a run has more moments than faults. The
 * shapes bring their own moments along.
 */
const WEIGHTS: ReadonlyMap<string, number> = new Map([
  ['crash-at-effect', 24],
  ['crash', 3],
  ['late-epoch', 3],
  ['cut', 14],
  ['cut-one-way', 6],
  ['cut-then-dead', 5],
  ['slow-then-dead', 3],
  ['pause', 3],
  ['pause-at-effect', 8],
  ['queue-failing', 3],
  ['queue-unknown', 4],
  ['outbox-late', 4],
  ['store-slow', 3],
  ['registry-down', 3],
  ['reconnect-storm', 3],
  ['token-expires', 2],
  // In most runs nobody polls; those in which somebody does draw it by themselves.
  ['poll-lossy', 0],
]);

/** Each kind as often as it weighs. */
function byWeight(kinds: readonly FaultKind[]): FaultKind[] {
  return kinds.flatMap((kind) => Array.from({ length: WEIGHTS.get(kind.kind) ?? 1 }, () => kind));
}

/** A run with at most this many faults has, every other time, a single kind of them that strikes a single part. */
const FEW = 3;

export interface FaultSize {
  readonly most: number;
  readonly moments: Moments;
}

/**
 * The swarm (Groce et al., "Swarm Testing", 2012): each run first draws which classes of fault exist at all, then which
 * kinds of them, then how many. A run with everything at once never gets anywhere; one with a single kind gets deep.
 */
export function drawFaults(draws: Draws, setting: FaultSetting, size: FaultSize): Fault[] {
  // One run in eight is calm: latency, presence and everything else must be right there as well.
  if (draws.perMille(125)) return [];
  const single = size.most <= FEW && draws.perMille(500);
  const weighted = single ? [draws.pick(byWeight(FAULT_KINDS))!] : byWeight(drawKinds(draws));
  if (weighted.length === 0) return [];
  const count = 1 + draws.int(draws.perMille(700) ? Math.min(4, size.most) : size.most);
  const victims = single && weighted[0]!.classes.includes('process') ? PROCESSES : VICTIMS;
  const victim = single || draws.perMille(400) ? victims[draws.int(victims.length)] : undefined;
  const faults: Fault[] = [];
  // What only a border has, a system with a border should mostly have.
  const border = setting.topology.regions === 2 && draws.perMille(500) ? [regionCut] : [];
  for (let i = 0; i < count + border.length; i++) {
    const drawn = drawAt(draws, setting, i < count ? weighted : border, victim);
    if (drawn === undefined) continue;
    const { kind, fault } = drawn;
    // It is on its way at the moment, or begins right there.
    const begin = nearMoment(draws, size.moments, setting.safetyMicros, fault.at);
    const early = Math.floor((fault.for * (kind.hurtsAfter ?? 0)) / 1_000);
    const lead = early + draws.int(1 + leadOf(draws, fault, size) - early);
    const at = begin === fault.at ? begin : Math.max(0, begin - lead);
    faults.push({ ...fault, at, for: Math.min(fault.for, setting.safetyMicros - at) });
  }
  return faults;
}

/** How long before its moment it may begin. One that waits for effects must not have used them up by then. */
function leadOf(draws: Draws, fault: Fault, { moments }: FaultSize): number {
  return fault.kind.endsWith('-at-effect') && draws.perMille(700)
    ? Math.min(fault.for, moments.spread)
    : fault.for;
}

const PROCESSES = ['gateway', 'service', 'relay', 'worker'] as const;
/** Whom a run may have it in for: several faults of one part find what one fault of each part does not. */
const VICTIMS = [
  'gateway',
  'service',
  'relay',
  'worker',
  'device',
  'store',
  'registry',
  'queue',
  // The ways on which an answer that is missed leaves something undone.
  '~gateway',
  '~registry',
  '~queue',
  '~service',
] as const;
/** Draws until one strikes the victim. */
const MOST_TRIES = 8;

function drawAt(
  draws: Draws,
  setting: FaultSetting,
  kinds: readonly FaultKind[],
  victim: string | undefined,
): { readonly kind: FaultKind; readonly fault: Fault } | undefined {
  let found: { readonly kind: FaultKind; readonly fault: Fault } | undefined;
  for (let i = 0; i < MOST_TRIES; i++) {
    const kind = kinds[draws.int(kinds.length)]!;
    const fault = kind.draw(draws, setting);
    if (fault === undefined) continue;
    found = { kind, fault };
    if (victim === undefined || fault.target.includes(victim)) break;
  }
  return found;
}

function drawKinds(draws: Draws): FaultKind[] {
  const single = draws.perMille(250);
  const classes = single
    ? [FAULT_CLASSES[draws.int(FAULT_CLASSES.length)]!]
    : FAULT_CLASSES.filter(() => draws.perMille(350));
  const possible = FAULT_KINDS.filter((kind) => kind.classes.some((c) => classes.includes(c)));
  const share = single ? 1_000 : 300 + draws.int(700);
  const kinds = possible.filter(() => draws.perMille(share));
  return kinds.length > 0 || possible.length === 0 ? kinds : [possible[draws.int(possible.length)]!];
}
