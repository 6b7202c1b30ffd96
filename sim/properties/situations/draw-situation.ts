import { DEFAULT_LIMITS, type Limits } from '../../../core/contract/limits.ts';
import type { Draws } from '../../engine/draws.ts';
import { faultKind } from '../../faults/fault-kinds.ts';
import type { Fault, Op, Scenario } from '../../scenario.ts';
import { drawFaults } from '../draw-faults.ts';
import { scaledDurations, SPEEDS } from '../knob-choices.ts';
import { allWriteAtOnce } from './all-write-at-once.ts';
import { changesNetwork } from './changes-network.ts';
import { comesAndGoes } from './comes-and-goes.ts';
import { diesInMidStep } from './dies-in-mid-step.ts';
import { growsHuge } from './grows-huge.ts';
import { membersDisagree } from './members-disagree.ts';
import { movesAround } from './moves-around.ts';
import { pollerIsSentAway } from './poller-is-sent-away.ts';
import { publishedInParts } from './published-in-parts.ts';
import { strangerInsists } from './stranger-insists.ts';
import { writesTooFast } from './writes-too-fast.ts';
import type { DrawnSituation, Situation, SituationSetting } from './situation.ts';

const SECOND = 1_000_000;
/** Microseconds. */
const REACH = { local: 100, region: 15_000, mobile: 70_000 } as const;
/** Faster still, everything would be over before a second thing can happen. */
const MOST_SPEED = 10;
/** One more fault than belongs to it, per mille. */
const DISTURBED = 200;

/** Weights by repetition. */
export const SITUATIONS: readonly Situation[] = [
  diesInMidStep,
  publishedInParts,
  publishedInParts,
  growsHuge,
  changesNetwork,
  allWriteAtOnce,
  allWriteAtOnce,
  pollerIsSentAway,
  comesAndGoes,
  movesAround,
  membersDisagree,
  strangerInsists,
  writesTooFast,
];

/**
 * What needs limits, people and faults that fit each other, all at one moment: drawn one by one they meet in one run of
 * thousands. As the shapes among the faults do, a situation brings them together, and mostly nothing else gets in its way.
 *
 * @param seed of the run.
 */
export function drawSituation(
  draws: Draws,
  seed: number,
  situation: Situation = draws.pick(SITUATIONS)!,
): Scenario {
  const network = draws.pick(['local', 'region', 'mobile'] as const)!;
  const speed = draws.pick(SPEEDS[network].filter((each) => each <= MOST_SPEED))!;
  const scaled = scaledDurations(speed);
  const limits: Limits = { ...DEFAULT_LIMITS, ...scaled };
  const safetyMicros = Math.floor((draws.between(4, 12) * SECOND) / speed);
  const setting = { limits, safetyMicros, moment: Math.floor(safetyMicros / 2), reach: REACH[network] };
  const drawn = situation(draws, setting);
  const more = draws.perMille(DISTURBED) ? disturbance(draws, setting, drawn) : [];
  // As in other runs: sessions that are older than a lease do not look by themselves.
  const age = draws.perMille(900) ? limits.leaseTtl + 2 * limits.leaseRenew : 0;
  const later = <Item extends Op | Fault>(items: readonly Item[]): Item[] =>
    items.map((item) => ({ ...item, at: item.at + age })).sort((a, b) => a.at - b.at);
  return {
    version: 1,
    seed,
    topology: drawn.topology,
    knobs: {
      limits: { ...scaled, ...drawn.limits },
      network,
      ...(drawn.transports === undefined ? {} : { transports: drawn.transports }),
      wire: draws.perMille(50),
      safetyMicros: safetyMicros + age,
    },
    ops: later(drawn.ops),
    faults: later([...drawn.faults, ...more]),
  };
}

/** Nothing that loses events for good: only heads that are read without a reason mend that, and they would mend everything. */
function disturbance(
  draws: Draws,
  { moment, safetyMicros }: SituationSetting,
  { topology }: DrawnSituation,
): Fault[] {
  const moments = { at: [moment], share: 1_000, spread: Math.floor(safetyMicros / 20) };
  const faults = drawFaults(draws, { topology, safetyMicros }, { most: 1, moments });
  return faults.filter(({ kind }) => faultKind(kind)?.losesEvents !== true);
}
