/**
 * A conformance script: steps that run against the simulator's model of an engine and against the engine itself, and whose
 * observations must be the same. What the simulator proved counts for production only as far as these hold.
 */
export interface Script<Step> {
  /** Short and unique within its engine: `lost-ack-then-retry`. */
  readonly name: string;
  /** A sentence: what surprises somebody who does not know the engine, and what follows from it. */
  readonly story: string;
  readonly steps: readonly Step[];
}

/**
 * What a step showed: plain JSON, compared with `isDeepStrictEqual`. Undefined: nothing to compare. It holds what a caller can
 * rely on and nothing that may differ by chance (times, generated ids, which of two racing members came first).
 */
export type Observation =
  | undefined
  | null
  | boolean
  | number
  | string
  | readonly Observation[]
  | { readonly [name: string]: Observation };

/** Carries out the steps of one script against the model or against the engine, from a state without any trace of other scripts. */
export interface Driver<Step> {
  /** Settles when what the step did can be observed: the engine driver waits for it, the model driver lets virtual time pass. */
  perform(step: Step): Observation | Promise<Observation>;
  /** Ends what the script left: members, connections, topics, keys. Called once, also after an error. */
  close(): void | Promise<void>;
}

/** Both sides of one engine. `Step` is a discriminated union of plain data, so that a step can be printed and shrunk. */
export interface Rig<Step> {
  openModel(): Driver<Step> | Promise<Driver<Step>>;
  /** @param script that will run: some need more of an engine than others. */
  openEngine(script: Script<Step>): Driver<Step> | Promise<Driver<Step>>;
}

/** One engine's conformance, as the command and the tests see it. */
export interface Suite {
  /** `kafka`, `redis`, `postgres`. */
  readonly engine: string;
  /** Product and version, as the engine itself says. */
  readonly version: string;
  readonly scripts: readonly { readonly name: string; readonly story: string }[];
  /** Runs one of `scripts`. */
  run(name: string): Promise<Comparison>;
  /** Runs `count` scripts drawn from `seed`; the first that differs is shrunk, reported and ends the run. */
  runRandom(count: number, seed: number): Promise<readonly Comparison[]>;
  close(): Promise<void>;
}

/** What came of one script. */
export interface Comparison {
  readonly script: string;
  readonly equal: boolean;
  /** The first step whose observations differ, or that one side could not carry out. */
  readonly difference: Difference | undefined;
  /** Steps carried out on both sides. */
  readonly steps: number;
}

export interface Difference {
  /** Index of the step, from 0. */
  readonly at: number;
  readonly step: unknown;
  readonly model: Observation;
  readonly engine: Observation;
}
