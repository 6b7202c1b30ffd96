/**
 * Delta debugging (Zeller and Hildebrandt, "Simplifying and Isolating Failure-Inducing Input", 2002), by complements
 * only: takes out chunks of half the list, a quarter, … down to single items, and starts over from the single items until
 * none can go.
 *
 * @param fails whether the rest still fails; asked with lists that are always shorter than `items`.
 * @returns a list of which no single item can be left out.
 */
export function removeItems<Item>(
  items: readonly Item[],
  fails: (rest: readonly Item[]) => boolean,
): readonly Item[] {
  if (items.length === 0 || fails([])) return [];
  let kept = items;
  let chunk = Math.ceil(kept.length / 2);
  for (;;) {
    const before = kept.length;
    kept = removeChunks(kept, chunk, fails);
    if (chunk > 1) chunk = Math.ceil(Math.min(chunk, kept.length) / 2);
    else if (kept.length === before) return kept;
  }
}

/** Walks from the end: what happens late is the likeliest not to matter. */
function removeChunks<Item>(
  items: readonly Item[],
  chunk: number,
  fails: (rest: readonly Item[]) => boolean,
): readonly Item[] {
  let kept = items;
  for (let end = kept.length; end > 0 && kept.length > 1; end -= chunk) {
    const rest = [...kept.slice(0, Math.max(0, end - chunk)), ...kept.slice(end)];
    if (fails(rest)) kept = rest;
  }
  return kept;
}
