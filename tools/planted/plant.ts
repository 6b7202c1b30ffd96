import type { SOURCE_STEPS } from '../check-steps.ts';

export type StepName = (typeof SOURCE_STEPS)[number]['name'];

/** One small source with one violation, and the words by which its step must report it. */
export interface Plant {
  /** What a reader of the test's output sees. */
  readonly what: string;
  /** Where it is planted, relative to the root: the same source is fine elsewhere. */
  readonly path: string;
  readonly source: string;
  /** The rule's name as the tool prints it, on the line that names the file. */
  readonly rule: string;
}
