import { drawFault } from './draw-fault.ts';
import type { FaultKind } from './fault-kind.ts';
import { FaultScript } from './fault-script.ts';
import { forHowLong, linkWords } from './fault-words.ts';
import { drawLink, linkNames } from './link-targets.ts';
import { cutLink, nothing, takeDown } from './take-down.ts';

const TARGETS = 'nodes';

/**
 * Nothing passes between two nodes, and half-way through the first of them dies: with what it had sent and was waiting to
 * hear of, had put off until the way is open again, or believed to be finished although it was not.
 */
export const cutThenDead: FaultKind = {
  kind: 'cut-then-dead',
  classes: ['network', 'process', 'shape'],
  mayBePermanent: false,
  targets: (topology) => linkNames(topology, TARGETS),
  describe: (fault) =>
    `between ${linkWords(fault.target)} nothing passes, then ${firstOf(fault.target)} dies, ${forHowLong(fault)}`,
  draw: (draws, setting) =>
    drawFault('cut-then-dead', drawLink(draws, setting.topology, TARGETS), draws, setting, 0),
  begin(world, fault) {
    const host = world.hostNamed(firstOf(fault.target));
    if (host === undefined) return nothing;
    const script = new FaultScript(world);
    script.hold(cutLink(world, fault.target, 'lost'));
    script.later(fault.for / 2, () => script.hold(takeDown(host, false)));
    return script.end;
  },
};

function firstOf(target: string): string {
  return target.split('~')[0]!;
}
