import type { Draws } from '../engine/draws.ts';
import type { Fault } from '../scenario.ts';
import type { FaultSetting } from './fault-kind.ts';

/** Parts of the safety phase that a fault may last: mostly short, sometimes most of the run. In per mille. */
const LENGTHS = [2, 5, 10, 20, 40, 80, 120, 200, 300, 500];

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
