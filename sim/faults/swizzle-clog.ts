import type { Draws } from '../engine/draws.ts';
import { drawFault } from './draw-fault.ts';
import type { FaultKind } from './fault-kind.ts';
import { FaultScript } from './fault-script.ts';
import { processNames } from './fault-targets.ts';
import { forHowLong } from './fault-words.ts';
import { cutLink } from './take-down.ts';

const TARGETS = ['service'];

/**
 * A part of the nodes is cut off one by one, then let back one by one in another order: the shape that found most in
 * FoundationDB's simulation. `amount`: how many nodes.
 */
export const swizzleClog: FaultKind = {
  kind: 'swizzle-clog',
  classes: ['network', 'shape'],
  mayBePermanent: false,
  targets: () => TARGETS,
  describe: (fault) =>
    `${fault.amount} nodes are cut off one by one and let back in another order, ${forHowLong(fault)}`,
  draw(draws, setting) {
    const most = Math.max(1, processNames(setting.topology).length - 1);
    return drawFault('swizzle-clog', TARGETS, draws, setting, draws.between(1, most));
  },
  begin(world, fault, draws) {
    const script = new FaultScript(world);
    const names = shuffled(processNames(world.scenario.topology), draws).slice(0, fault.amount);
    const step = fault.for / (2 * names.length + 1);
    const open = new Map<string, () => void>();
    names.forEach((name, i) => {
      script.later(i * step, () => open.set(name, script.hold(cutLink(world, name, 'lost'))));
    });
    shuffled(names, draws).forEach((name, i) => {
      script.later((names.length + i) * step, () => open.get(name)?.());
    });
    return script.end;
  },
};

function shuffled<T>(list: readonly T[], draws: Draws): T[] {
  const result = [...list];
  for (let i = result.length - 1; i > 0; i--) {
    const j = draws.int(i + 1);
    [result[i], result[j]] = [result[j]!, result[i]!];
  }
  return result;
}
