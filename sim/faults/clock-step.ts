import { HOUR, SECOND } from '../../core/contract/time.ts';
import { clockNames, clockOf } from './clock-of.ts';
import { drawInstant } from './draw-fault.ts';
import type { FaultKind } from './fault-kind.ts';
import { span } from './fault-words.ts';
import { nothing } from './take-down.ts';

const MOST = 60 * SECOND;
/** Now and then much further than any machine is given to settle: a wrong wait must not pass for a long one. */
const FAR = HOUR;

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
      draws.int(3) === 0 ? draws.between(-FAR, FAR) : draws.between(-MOST, MOST),
    );
  },
  begin(world, fault) {
    clockOf(world, fault.target)?.step(fault.amount);
    return nothing;
  },
};
