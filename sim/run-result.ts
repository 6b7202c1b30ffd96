import type { Limits } from '../core/contract/limits.ts';
import type { Judge } from './oracles/judge.ts';
import type { Violation } from './oracles/oracle.ts';
import type { Scenario } from './scenario.ts';

/** What a judge may know of the run. */
export interface RunSetting {
  readonly scenario: Scenario;
  /** DEFAULT_LIMITS with the overrides of the scenario's knobs. */
  readonly limits: Limits;
}
export interface RunOptions {
  /** Default: every promise (`judgeScenario`). `nobody`: the run is not judged, to measure what judging costs. */
  readonly judge?: ((setting: RunSetting) => Judge) | 'nobody';
  /** Events before the run is given up with verdict `budget`. Default 5,000,000. */
  readonly maxEvents?: number;
  /** How many of the last events a failure shows. Default 32. */
  readonly lastEvents?: number;
  /** Called after every event; slow, for the trace of one run. */
  readonly trace?: TraceSink;
  /** Gets the rolling hash after every event, for comparing two runs; with the effects in it when those are hashed too. */
  readonly hashes?: HashLog;
  /**
   * Also hashes what every step decided, field by field (`effectHash`). The plain hash knows when what happens where, which
   * is what most breaks of determinism change; this one costs a sixth of the speed, and is for comparing two runs.
   */
  readonly hashEffects?: boolean;
}

export interface HashLog {
  push(hash: number): void;
}

/** One event of a traced run, and the effects of the step that it caused. */
export interface TraceRecord {
  /** Position in the run, from 0. */
  readonly index: number;
  /** Virtual time, microseconds. */
  readonly at: number;
  /** Name of the node it happened at: "gateway-1", "store". */
  readonly node: string;
  /** For messages over the network, the node that sent it. */
  readonly from: string | undefined;
  /** "frame SEND", "wake retry", "append". */
  readonly label: string;
  /** The machine's event or the engine's request, as data; undefined for what has none. */
  readonly event: unknown;
  readonly effects: readonly unknown[];
  readonly hash: number;
}

export interface TraceSink {
  event(record: TraceRecord): void;
}

/**
 * `safety` and `liveness`: an oracle found a violation. `crash`: a machine threw (a broken invariant or a bug).
 * `budget`: the run used up its events before it could be judged; neither good nor bad, but counted.
 */
export type Verdict = 'pass' | 'safety' | 'liveness' | 'crash' | 'budget';

export interface RunResult {
  readonly verdict: Verdict;
  readonly violation: Violation | undefined;
  /** Verdict `crash`: which node, what was thrown, and the stack. */
  readonly crash: { readonly node: string; readonly message: string; readonly stack: string } | undefined;
  /** 16 hexadecimal digits over every event of the run: two runs of one scenario have the same. */
  readonly hash: string;
  /** The same over every field of every effect; undefined unless the run was asked to hash them. */
  readonly effectHash: string | undefined;
  readonly events: number;
  readonly simulatedMicros: number;
  /** How often each rare branch of the world was reached: "store.unknown.applied" -> 3. */
  readonly probes: ReadonlyMap<string, number>;
  /** The last events in words, oldest first; empty when the verdict is `pass`. */
  readonly lastEvents: readonly string[];
  /** The scenario with every knob resolved. */
  readonly resolved: RunSetting;
}
