import { clockNames, clockOf } from './clock-of.ts';
import { drawFault } from './draw-fault.ts';
import type { FaultKind } from './fault-kind.ts';
import { forHowLong } from './fault-words.ts';
import { nothing } from './take-down.ts';

const MOST_PPM = 100_000;

/** A clock runs `amount` parts per million fast (negative: slow), its timers with it. */
export const clockDrift: FaultKind = {
  kind: 'clock-drift',
  classes: ['clock'],
  mayBePermanent: true,
  targets: clockNames,
  describe(fault) {
    const way = fault.amount < 0 ? 'slow' : 'fast';
    return `the clock of ${fault.target} runs ${Math.abs(fault.amount)} ppm ${way} ${forHowLong(fault)}`;
  },
  draw(draws, setting) {
    const ppm = draws.between(-MOST_PPM, MOST_PPM);
    return drawFault('clock-drift', clockNames(setting.topology), draws, setting, ppm);
  },
  begin(world, fault) {
    const clock = clockOf(world, fault.target);
    if (clock === undefined) return nothing;
    clock.drift(fault.amount, world.engine.now);
    return () => clock.drift(0, world.engine.now);
  },
};
