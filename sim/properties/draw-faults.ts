import type { Draws } from '../engine/draws.ts';
import type { FaultClass, FaultKind, FaultSetting } from '../faults/fault-kind.ts';
import { FAULT_KINDS } from '../faults/fault-kinds.ts';
import type { Fault } from '../scenario.ts';

const CLASSES: readonly FaultClass[] = [
  'process',
  'clock',
  'network',
  'device',
  'store',
  'queue',
  'registry',
  'shape',
];

/**
 * The swarm (Groce et al., "Swarm Testing", 2012): each run first draws which classes of fault exist at all, then which
 * kinds of them, then how many. A run with everything at once never gets anywhere; one with a single kind gets deep.
 */
export function drawFaults(draws: Draws, setting: FaultSetting): Fault[] {
  // One run in eight is calm: latency, presence and everything else must be right there as well.
  if (draws.perMille(125)) return [];
  const kinds = drawKinds(draws, setting);
  if (kinds.length === 0) return [];
  const count = 1 + draws.int(draws.perMille(700) ? 4 : 12);
  const permanent = draws.perMille(150);
  const faults: Fault[] = [];
  for (let i = 0; i < count; i++) {
    const kind = kinds[draws.int(kinds.length)]!;
    const fault = kind.draw(draws, setting);
    if (fault === undefined) continue;
    const stays = permanent && kind.mayBePermanent && draws.perMille(300);
    faults.push(stays ? { ...fault, permanent: true } : fault);
  }
  return faults;
}

function drawKinds(draws: Draws, setting: FaultSetting): FaultKind[] {
  const single = draws.perMille(250);
  const classes = single ? [CLASSES[draws.int(CLASSES.length)]!] : CLASSES.filter(() => draws.perMille(350));
  const possible = FAULT_KINDS.filter(
    (kind) => kind.classes.some((c) => classes.includes(c)) && kind.targets(setting.topology).length > 0,
  );
  const share = single ? 1_000 : 300 + draws.int(700);
  const kinds = possible.filter(() => draws.perMille(share));
  return kinds.length > 0 || possible.length === 0 ? kinds : [possible[draws.int(possible.length)]!];
}
