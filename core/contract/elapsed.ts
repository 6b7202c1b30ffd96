import type { Micros } from './time.ts';

/**
 * Whether `span` microseconds have passed since `since`, on a clock that may step. A clock that went back behind `since`
 * counts as passed: every use is a retry or a check that is harmless when early, and would hang for hours when late.
 */
export function hasElapsed(since: Micros, span: number, now: Micros): boolean {
  return now - since >= span || now < since;
}
