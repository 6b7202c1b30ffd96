import type { Draws } from '../engine/draws.ts';
import type { Fault } from '../scenario.ts';
import type { FaultSetting } from './fault-kind.ts';

/** Parts of the safety phase that a fault may last: mostly short, sometimes most of the run. In per mille. */
const LENGTHS = [2, 5, 10, 20, 40, 80, 120, 200, 300, 500];

/** Runs shorter than this have their lengths of time scaled down. Microseconds. */
const WHOLE_RUN = 10_000_000;

/** Draws what all faults have: a target, a begin, a length that ends within the safety phase. */
export function drawFault(
  kind: string,
  targets: readonly string[],
  draws: Draws,
  setting: FaultSetting,
  amount: number,
): Fault | undefined {
  const target = draws.pick(targets);
  if (target === undefined) return undefined;
  const { safetyMicros } = setting;
  const at = draws.int(Math.max(1, Math.floor((safetyMicros * 9) / 10)));
  const length = LENGTHS[draws.int(LENGTHS.length)]!;
  const wanted = Math.max(1, Math.floor((safetyMicros * length) / 1_000));
  return { at, kind, target, for: Math.max(1, Math.min(wanted, safetyMicros - at)), amount };
}

/**
 * A length of time as a fault's amount, within what the run is about: in a run of 50 ms everything is that much faster.
 * @param most microseconds, in a run of ten seconds or more.
 */
export function drawAmount(draws: Draws, setting: FaultSetting, least: number, most: number): number {
  const scaled = Math.floor((most * setting.safetyMicros) / WHOLE_RUN);
  return draws.between(least, Math.max(least + 1, Math.min(most, scaled)));
}

/** The same for what happens at one moment. */
export function drawInstant(
  kind: string,
  targets: readonly string[],
  draws: Draws,
  setting: FaultSetting,
  amount: number,
): Fault | undefined {
  const fault = drawFault(kind, targets, draws, setting, amount);
  return fault === undefined ? undefined : { ...fault, for: 0 };
}
