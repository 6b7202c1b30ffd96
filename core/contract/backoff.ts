/** `base` doubled `times` times, at most `max`. Same units in and out. */
export function doubled(base: number, times: number, max: number): number {
  let value = base;
  for (let i = 0; i < times && value < max; i++) value *= 2;
  return Math.min(value, max);
}
