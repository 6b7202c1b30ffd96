import type { Observation } from '../script.ts';

/** How many hints of each user, users in order. */
export function countHints(hints: readonly string[]): Observation {
  const counts = new Map<string, number>();
  for (const user of hints) counts.set(user, (counts.get(user) ?? 0) + 1);
  return [...counts].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([user, count]) => `${user} ${count}`);
}
