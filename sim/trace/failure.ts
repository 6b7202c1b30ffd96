import type { Violation } from '../oracles/oracle.ts';
import type { RunResult, Verdict } from '../run-result.ts';
import type { Scenario } from '../scenario.ts';

/** How a run failed, as a name: what shrinking keeps, and what failures are grouped by. */
export interface FailureKey {
  readonly verdict: Verdict;
  /** The oracle; for a crash the role and the words of the error without its numbers. */
  readonly cause: string;
}

/** @returns undefined for a run that passed. */
export function failureKey(result: RunResult): FailureKey | undefined {
  if (result.verdict === 'pass') return undefined;
  return { verdict: result.verdict, cause: failureCause(result.violation, result.crash) };
}

function failureCause(violation: Violation | undefined, crash: RunResult['crash']): string {
  if (violation !== undefined) return violation.oracle;
  if (crash === undefined) return 'events used up';
  const role = crash.node.replace(/-\d+$/, '');
  return `${role}: ${crash.message.split('\n')[0]!.replace(/\d+/g, 'N')}`;
}

/**
 * What the machines were at when it failed, without names and numbers: whom the first who is stuck waits for, or what was
 * observed. Two defects that break one promise mostly differ in it.
 */
export function failureState({ violation, crash }: Pick<RunResult, 'violation' | 'crash'>): string {
  const words = violation?.stuck[0] ?? violation?.observed ?? crash?.message.split('\n')[0] ?? '';
  return words.replace(/\b[0-9a-f]{8}(-[0-9a-f]+)+\b/g, 'ID').replace(/\d+(\.\d+)?/g, 'N');
}

export function sameFailure(a: FailureKey | undefined, b: FailureKey | undefined): boolean {
  return a !== undefined && b !== undefined && a.verdict === b.verdict && a.cause === b.cause;
}

/** A failure as it is shown and saved. */
export interface Failure {
  readonly key: FailureKey;
  /** The simplest scenario that fails so. */
  readonly scenario: Scenario;
  /** Its run. */
  readonly result: RunResult;
  /** The seed it was found with; undefined when it came from a file. */
  readonly seed: number | undefined;
  /** Operations and faults it had when it was found. */
  readonly foundSize: number;
  /** Whether nothing can be left out any more, as far as single steps go. */
  readonly minimal: boolean;
  /** Kinds of fault without which it passes: after shrinking all that are left. Sorted. */
  readonly necessaryFaults: readonly string[];
}

/** @returns the kinds of the faults of a scenario, each once, sorted. */
export function faultKindsOf(scenario: Scenario): readonly string[] {
  return [...new Set(scenario.faults.map((fault) => fault.kind))].sort();
}

/** Failures with the same key, the same necessary faults and the same state are one group: most likely one defect. */
export function groupOf(failure: Pick<Failure, 'key' | 'necessaryFaults' | 'result'>): string {
  const faults = failure.necessaryFaults.length === 0 ? 'no fault' : failure.necessaryFaults.join(' + ');
  const state = failureState(failure.result);
  return `${failure.key.verdict} ${failure.key.cause} with ${faults}${state === '' ? '' : `: ${state}`}`;
}
