import type { z } from 'zod';
import { DEFAULT_LIMITS, type Limits } from '../../core/contract/limits.ts';
import { integer, section } from './config-field.ts';

const LIMIT_NAMES = Object.keys(DEFAULT_LIMITS) as readonly (keyof Limits)[];

/** Long enough for every duration (a year in microseconds) and large enough for every count. */
const HIGHEST = 366 * 24 * 3600 * 1_000_000;

/** The interval of a token bucket, beside its burst: 0 lifts that limit. Any other limit of 0 would stop something for ever. */
function lowest(limit: string): number {
  const burst = limit.replace(/Interval$/, 'Burst');
  return burst !== limit && burst in DEFAULT_LIMITS ? 0 : 1;
}

/** Overrides of core limits: their names, their units, and nothing that is not one of them. */
export const limitsSchema = section(
  Object.fromEntries(
    LIMIT_NAMES.map((limit) => [
      limit,
      integer(
        lowest(limit),
        HIGHEST,
        `default ${DEFAULT_LIMITS[limit]}; see core/contract/limits.ts`,
      ).optional(),
    ]),
  ) as Record<keyof Limits, z.ZodOptional<z.ZodInt>>,
  'overrides of the limits in core/contract/limits.ts; durations in microseconds, sizes in bytes',
);
