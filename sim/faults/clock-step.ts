import { SECOND } from '../../core/contract/time.ts';
import { clockNames, clockOf } from './clock-of.ts';
import { drawInstant } from './draw-fault.ts';
import type { FaultKind } from './fault-kind.ts';
import { span } from './fault-words.ts';
import { nothing } from './take-down.ts';

const MOST = 60 * SECOND;

/** A clock is set by `amount` microseconds and stays so. */
export const clockStep: FaultKind = {
  kind: 'clock-step',
  classes: ['clock'],
  mayBePermanent: false,
  targets: clockNames,
  describe(fault) {
    const way = fault.amount < 0 ? 'back' : 'forward';
    return `the clock of ${fault.target} is set ${way} by ${span(Math.abs(fault.amount))}`;
  },
  draw(draws, setting) {
    return drawInstant(
      'clock-step',
      clockNames(setting.topology),
      draws,
      setting,
      draws.between(-MOST, MOST),
    );
  },
  begin(world, fault) {
    clockOf(world, fault.target)?.step(fault.amount);
    return nothing;
  },
};
