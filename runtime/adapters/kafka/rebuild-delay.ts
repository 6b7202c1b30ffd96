import { doubled } from '../../../core/contract/backoff.ts';

/** How long to wait before something that failed `times` times in a row is built again: doubled each time, with full jitter. */
export function rebuildDelay(
  times: number,
  { rebuildBaseMs, rebuildMaxMs }: { readonly rebuildBaseMs: number; readonly rebuildMaxMs: number },
): number {
  const ceiling = doubled(rebuildBaseMs, Math.max(0, times - 1), rebuildMaxMs);
  return ceiling / 2 + (Math.random() * ceiling) / 2;
}
