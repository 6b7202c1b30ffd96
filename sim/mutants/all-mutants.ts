import type { Mutant } from './mutant.ts';

/** Every planted bug, in the order of the message's way. */
export const ALL_MUTANTS: readonly Mutant[] = [];
