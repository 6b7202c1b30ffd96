import type { Fault } from '../scenario.ts';

/** "gateway-1", and each half of "device-3~gateway-0". */
const NODE = /(gateway|service|relay|worker|device)-(\d+)/g;

/**
 * Gives the nodes of one role other numbers.
 * @param to the new number, undefined for a node that is gone: faults that strike it go with it.
 */
export function renameTargets(
  faults: readonly Fault[],
  role: string,
  to: (index: number) => number | undefined,
): readonly Fault[] {
  const kept: Fault[] = [];
  for (const fault of faults) {
    let gone = false;
    const target = fault.target.replace(NODE, (name, found: string, digits: string) => {
      if (found !== role) return name;
      const index = to(Number(digits));
      if (index === undefined) gone = true;
      return `${role}-${index ?? digits}`;
    });
    if (!gone) kept.push(target === fault.target ? fault : { ...fault, target });
  }
  return kept;
}
