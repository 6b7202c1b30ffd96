/** @returns the key that somebody probably meant, or undefined when none is close. */
export function nearestKey(given: string, known: readonly string[]): string | undefined {
  const plain = (key: string): string => key.toLowerCase().replaceAll(/[^a-z0-9]/g, '');
  let best: string | undefined;
  let bestDistance = Math.min(given.length, Math.max(2, Math.floor(given.length / 3)) + 1);
  for (const key of known) {
    const distance = editDistance(plain(given), plain(key));
    if (distance < bestDistance) [best, bestDistance] = [key, distance];
  }
  return best;
}

/** Levenshtein's distance: insertions, deletions and replacements from one text to the other. */
function editDistance(from: string, to: string): number {
  let previous = Array.from({ length: to.length + 1 }, (_, i) => i);
  for (let i = 1; i <= from.length; i++) {
    const current = [i];
    for (let j = 1; j <= to.length; j++) {
      const replaced = (previous[j - 1] as number) + (from[i - 1] === to[j - 1] ? 0 : 1);
      current.push(Math.min(replaced, (previous[j] as number) + 1, (current[j - 1] as number) + 1));
    }
    previous = current;
  }
  return previous[to.length] as number;
}
