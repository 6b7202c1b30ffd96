import type { Fault, Op, Scenario } from '../scenario.ts';
import type { Pass } from './attempt.ts';
import { removeItems } from './remove-items.ts';

/** Leaves out faults, then operations, then both together: a fault is the dearer thing to think about. */
export const removeEvents: Pass = (scenario, attempt) => {
  let best = scenario;
  const faults = removeItems(best.faults, (rest) => attempt({ ...best, faults: rest }));
  best = { ...best, faults };
  const ops = removeItems(best.ops, (rest) => attempt({ ...best, ops: rest }));
  best = { ...best, ops };
  return removeWithOtherSeeds(removePairs(best, attempt), attempt);
};

/** Other seeds tried for each item. */
const OTHER_SEEDS = 4;
/** What is this small can be taken in at once; it is not worth the runs. */
const SMALL = 3;

/**
 * Taking an event away shifts latencies and ties, and with them the coincidence that the failure needs. Another seed may
 * bring it about again: so each item is tried once more with a few others.
 */
const removeWithOtherSeeds: Pass = (scenario, attempt) => {
  let best = scenario;
  const tryWithout = (without: Scenario): boolean => {
    for (let i = 1; i <= OTHER_SEEDS; i++) {
      const candidate = { ...without, seed: (best.seed + i) % 2 ** 32 };
      if (!attempt(candidate)) continue;
      best = candidate;
      return true;
    }
    return false;
  };
  for (let i = best.faults.length - 1; i >= 0 && best.faults.length + best.ops.length > SMALL; i--) {
    tryWithout({ ...best, faults: best.faults.filter((_, place) => place !== i) });
  }
  for (let i = best.ops.length - 1; i >= 0 && best.faults.length + best.ops.length > SMALL; i--) {
    tryWithout({ ...best, ops: best.ops.filter((_, place) => place !== i) });
  }
  return best;
};

/** Most pairs tried: some events only go together, such as leaving and coming back. */
const MOST_PAIRS = 200;

const removePairs: Pass = (scenario, attempt) => {
  let best = scenario;
  let tried = 0;
  const without = <Item>(items: readonly Item[], gone: readonly number[]): readonly Item[] =>
    items.filter((_, i) => !gone.includes(i));
  for (let a = best.ops.length + best.faults.length - 1; a > 0; a--) {
    for (let b = a - 1; b >= 0 && tried < MOST_PAIRS; b--) {
      tried++;
      const items: readonly (Op | Fault)[] = without([...best.ops, ...best.faults], [a, b]);
      const isOp = (item: Op | Fault): item is Op => 'op' in item;
      const candidate = {
        ...best,
        ops: items.filter(isOp),
        faults: items.filter((item): item is Fault => !isOp(item)),
      };
      if (!attempt(candidate)) continue;
      best = candidate;
      a = best.ops.length + best.faults.length;
      break;
    }
  }
  return best;
};
