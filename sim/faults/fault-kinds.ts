import type { FaultKind } from './fault-kind.ts';

/** Every kind of fault the simulator knows, in the order in which they are listed to people. */
export const FAULT_KINDS: readonly FaultKind[] = [];

/** @returns the kind of that name, or undefined: an unknown kind is an error of the scenario. */
export function faultKind(name: string): FaultKind | undefined {
  return FAULT_KINDS.find((kind) => kind.kind === name);
}
