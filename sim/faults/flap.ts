import { MILLISECOND } from '../../core/contract/time.ts';
import { drawAmount, drawFault } from './draw-fault.ts';
import type { FaultKind } from './fault-kind.ts';
import { FaultScript } from './fault-script.ts';
import { forHowLong, linkWords, span } from './fault-words.ts';
import { drawLink, linkNames } from './link-targets.ts';
import { cutLink } from './take-down.ts';
import type { World } from '../world/world.ts';

const LEAST = 1 * MILLISECOND;
const MOST = 1_500 * MILLISECOND;

const TARGETS = 'nodes';

/** A link goes and comes: half of every `amount` microseconds nothing passes. */
export const flap: FaultKind = {
  kind: 'flap',
  classes: ['network', 'shape'],
  mayBePermanent: false,
  targets: (topology) => linkNames(topology, TARGETS),
  describe(fault) {
    return `between ${linkWords(fault.target)} the link goes and comes every ${span(period(fault.amount))} ${forHowLong(fault)}`;
  },
  draw: (draws, setting) =>
    drawFault(
      'flap',
      drawLink(draws, setting.topology, TARGETS),
      draws,
      setting,
      drawAmount(draws, setting, LEAST, MOST),
    ),
  begin(world, fault) {
    const script = new FaultScript(world);
    goAndCome(world, script, fault.target, period(fault.amount) / 2);
    return script.end;
  },
};

/** A shrunk scenario may ask for less than a link can do. */
function period(amount: number): number {
  return Math.max(LEAST, amount);
}

function goAndCome(world: World, script: FaultScript, target: string, half: number): void {
  const open = script.hold(cutLink(world, target, 'lost'));
  script.later(half, () => {
    open();
    script.later(half, () => goAndCome(world, script, target, half));
  });
}
