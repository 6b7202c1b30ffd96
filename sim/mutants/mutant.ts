import type { PromiseName } from '../oracles/oracle.ts';

/**
 * A bug planted on purpose, as a change of the text of one file of core/. Production code contains nothing of it: the
 * change is made while the module is loaded, in a process of its own.
 */
export interface Mutant {
  readonly name: string;
  /** Path of the changed file, from the root of the repository. */
  readonly file: string;
  /** Occurs exactly once in the file; else the mutant has rotted and must be written anew. */
  readonly find: string;
  readonly replace: string;
  /** What goes wrong because of it, for people. */
  readonly story: string;
  /** Whose alarm is to be expected; `crash` where an assertion of the core is faster. */
  readonly expected: readonly (PromiseName | 'crash')[];
}

/** The text to change is not there, or is there more than once. */
export class RottenMutant extends Error {
  override readonly name = 'RottenMutant';
}

/**
 * @param source text of the mutant's file.
 * @throws RottenMutant when `find` does not occur exactly once.
 */
export function plant(mutant: Mutant, source: string): string {
  const parts = source.split(mutant.find);
  if (parts.length !== 2) {
    throw new RottenMutant(
      `mutant ${mutant.name} has rotted: its text occurs ${parts.length - 1} times in ${mutant.file}, not once`,
    );
  }
  return parts.join(mutant.replace);
}
