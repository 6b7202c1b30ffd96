import type { Draws } from '../engine/draws.ts';

/**
 * Coincidences are what defects need: a fault just before a burst of sends, a second one before the first is over. So a
 * run has a few moments, and much of what it has happens around them.
 */
export interface Moments {
  /** Microseconds from the start of the trouble. */
  readonly at: readonly number[];
  /** How much of what happens is near one of them, per mille. */
  readonly share: number;
  /** How far from it, at most, microseconds. At least 1. */
  readonly spread: number;
}

/** @returns a time near one of the moments, or `otherwise`; from 0 to below `end`. */
export function nearMoment(draws: Draws, moments: Moments, end: number, otherwise: number): number {
  const moment = draws.perMille(moments.share) ? draws.pick(moments.at) : undefined;
  if (moment === undefined) return otherwise;
  return Math.max(0, Math.min(end - 1, moment - moments.spread + draws.int(2 * moments.spread)));
}
