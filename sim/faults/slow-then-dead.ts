import { drawAmount, drawFault } from './draw-fault.ts';
import type { FaultKind } from './fault-kind.ts';
import { FaultScript } from './fault-script.ts';
import { processNames } from './fault-targets.ts';
import { forHowLong, span } from './fault-words.ts';
import { nothing, takeDown } from './take-down.ts';

/** A process gets slow (`amount` microseconds for each event), and half-way through dies of it. */
export const slowThenDead: FaultKind = {
  kind: 'slow-then-dead',
  classes: ['process', 'shape'],
  mayBePermanent: false,
  targets: processNames,
  describe: (fault) =>
    `${fault.target} needs ${span(fault.amount)} for each event, then dies, ${forHowLong(fault)}`,
  draw(draws, setting) {
    const targets = processNames(setting.topology);
    return drawFault('slow-then-dead', targets, draws, setting, drawAmount(draws, setting, 500, 50_000));
  },
  begin(world, fault) {
    const host = world.hostNamed(fault.target);
    if (host === undefined) return nothing;
    const script = new FaultScript(world);
    const hurry = script.hold(host.slowDown(Math.max(1, fault.amount)));
    script.later(fault.for / 2, () => {
      script.hold(takeDown(host, false));
      hurry();
    });
    return script.end;
  },
};
