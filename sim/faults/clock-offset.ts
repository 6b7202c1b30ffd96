import { SECOND } from '../../core/contract/time.ts';
import { clockNames, clockOf } from './clock-of.ts';
import { drawFault } from './draw-fault.ts';
import type { FaultKind } from './fault-kind.ts';
import { forHowLong, span } from './fault-words.ts';
import { nothing } from './take-down.ts';

const MOST = 60 * SECOND;

/** A clock is `amount` microseconds off (negative: behind), then right again: two steps, one each way. */
export const clockOffset: FaultKind = {
  kind: 'clock-offset',
  classes: ['clock'],
  mayBePermanent: true,
  targets: clockNames,
  describe(fault) {
    const way = fault.amount < 0 ? 'behind' : 'ahead';
    return `the clock of ${fault.target} is ${span(Math.abs(fault.amount))} ${way} ${forHowLong(fault)}`;
  },
  draw(draws, setting) {
    return drawFault(
      'clock-offset',
      clockNames(setting.topology),
      draws,
      setting,
      draws.between(-MOST, MOST),
    );
  },
  begin(world, fault) {
    const clock = clockOf(world, fault.target);
    if (clock === undefined) return nothing;
    clock.step(fault.amount);
    return () => clock.step(-fault.amount);
  },
};
