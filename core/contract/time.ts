/**
 * Time in the core: integer microseconds. `now` is what the clock of the machine's own node says; it may be skewed, and
 * it may step back. Machines therefore compare times of one node only, and ask for wake-ups by duration, never by date.
 */

declare const brand: unique symbol;

/** Integer microseconds since the Unix epoch (production) or since the start of the run (simulation). */
export type Micros = number & { readonly [brand]: 'Micros' };

export const micros = (value: number): Micros => value as Micros;
export const MILLISECOND = 1_000;
export const SECOND = 1_000_000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
