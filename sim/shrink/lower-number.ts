/**
 * Finds a smaller or rounder value that still fails: 0 (or `low`), then halves, then fewer digits.
 * @returns a value at or below the given one.
 */
export function lowerNumber(value: number, low: number, fails: (value: number) => boolean): number {
  if (value <= low) return value;
  if (fails(low)) return low;
  let best = value;
  // A binary search for the border; failing need not be monotone, so what it finds is merely a better value.
  let floor = low;
  while (best - floor > Math.max(1, best / 8)) {
    const middle = floor + Math.floor((best - floor) / 2);
    if (fails(middle)) best = middle;
    else floor = middle;
  }
  return roundDown(best, low, fails);
}

/** Tries the value with its last digits zero, the roundest first. */
function roundDown(value: number, low: number, fails: (value: number) => boolean): number {
  for (let unit = 10_000_000; unit >= 10; unit /= 10) {
    const rounded = Math.floor(value / unit) * unit;
    if (rounded === value) return value;
    if (rounded >= low && rounded > 0 && fails(rounded)) return rounded;
  }
  return value;
}
