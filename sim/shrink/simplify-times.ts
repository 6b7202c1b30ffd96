import type { Fault, Op, Scenario } from '../scenario.ts';
import type { Attempt, Pass } from './attempt.ts';
import { lowerNumber } from './lower-number.ts';

/** Moves everything earlier, shortens it, and rounds it to times that people can compare. */
export const simplifyTimes: Pass = (scenario, attempt) => {
  let best = moveAllEarlier(scenario, attempt);
  for (let i = 0; i < best.faults.length; i++) best = simplifyFault(best, i, attempt);
  for (let i = 0; i < best.ops.length; i++) best = simplifyOp(best, i, attempt);
  return endEarlier(best, attempt);
};

/** Everything by the same span, so that what happens keeps its distances. */
const moveAllEarlier: Pass = (scenario, attempt) => {
  const first = Math.min(...[...scenario.ops, ...scenario.faults].map((item) => item.at));
  if (!Number.isFinite(first) || first === 0) return scenario;
  const moved = (start: number): Scenario => {
    const shift = <Item extends Op | Fault>(item: Item): Item => ({ ...item, at: item.at - (first - start) });
    return { ...scenario, ops: scenario.ops.map(shift), faults: scenario.faults.map(shift) };
  };
  const start = lowerNumber(first, 0, (value) => attempt(moved(value)));
  return start === first ? scenario : moved(start);
};

/** Tries lower values of one number, each as a whole scenario. */
function lower(
  scenario: Scenario,
  value: number,
  change: (value: number) => Scenario,
  attempt: Attempt,
): Scenario {
  const low = lowerNumber(value, 0, (candidate) => attempt(change(candidate)));
  return low === value ? scenario : change(low);
}

function simplifyFault(scenario: Scenario, index: number, attempt: Attempt): Scenario {
  let best = scenario;
  const change = (fields: Partial<Fault>): Scenario => ({
    ...best,
    faults: best.faults.map((fault, i) => (i === index ? { ...fault, ...fields } : fault)),
  });
  const fault = (): Fault => best.faults[index]!;
  if (fault().permanent === true) {
    const { permanent: _, ...healing } = fault();
    const candidate = { ...best, faults: best.faults.map((f, i) => (i === index ? healing : f)) };
    if (attempt(candidate)) best = candidate;
  }
  best = lower(best, fault().for, (value) => change({ for: value }), attempt);
  best = lower(best, fault().amount, (value) => change({ amount: value }), attempt);
  return lower(best, fault().at, (value) => change({ at: value }), attempt);
}

function simplifyOp(scenario: Scenario, index: number, attempt: Attempt): Scenario {
  let best = scenario;
  const changed = (op: Op): Scenario => ({ ...best, ops: best.ops.map((o, i) => (i === index ? op : o)) });
  const op = best.ops[index]!;
  if (op.op === 'send') best = lower(best, op.bytes, (bytes) => changed({ ...op, bytes }), attempt);
  const now = best.ops[index]!;
  return lower(best, now.at, (at) => changed({ ...now, at }), attempt);
}

/** The safety phase ends soon after the last event. */
const endEarlier: Pass = (scenario, attempt) => {
  const ends = [...scenario.ops.map((op) => op.at), ...scenario.faults.map((fault) => fault.at + fault.for)];
  const last = Math.max(0, ...ends);
  const change = (safetyMicros: number): Scenario => ({
    ...scenario,
    knobs: { ...scenario.knobs, safetyMicros },
  });
  const end = lowerNumber(scenario.knobs.safetyMicros, last + 1, (value) => attempt(change(value)));
  return end === scenario.knobs.safetyMicros ? scenario : change(end);
};
