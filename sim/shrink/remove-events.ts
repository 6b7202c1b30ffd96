import type { Fault, Op } from '../scenario.ts';
import type { Pass } from './attempt.ts';
import { removeItems } from './remove-items.ts';

/** Leaves out faults, then operations, then both together: a fault is the dearer thing to think about. */
export const removeEvents: Pass = (scenario, attempt) => {
  let best = scenario;
  const faults = removeItems(best.faults, (rest) => attempt({ ...best, faults: rest }));
  best = { ...best, faults };
  const ops = removeItems(best.ops, (rest) => attempt({ ...best, ops: rest }));
  best = { ...best, ops };
  return removePairs(best, attempt);
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
