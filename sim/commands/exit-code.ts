import type { Verdict } from '../run-result.ts';

/** What the exit codes of `parley sim` mean; stable, for scripts. */
export const EXIT = {
  ok: 0,
  usage: 1,
  safety: 10,
  liveness: 11,
  nondeterminism: 12,
  crash: 13,
  budget: 14,
  probeMissed: 15,
  mutantSurvived: 16,
} as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

export const EXIT_HELP = `Exit codes: 0 every run passed, 1 the command line is wrong, 10 a safety promise was broken, 11 a liveness promise was
broken, 12 the same scenario ran differently, 13 a machine threw, 14 a run used up its events, 15 a probe was never
reached, 16 a planted bug survived.`;

const OF_VERDICT: Readonly<Record<Verdict, ExitCode>> = {
  pass: EXIT.ok,
  safety: EXIT.safety,
  liveness: EXIT.liveness,
  crash: EXIT.crash,
  budget: EXIT.budget,
};

export function exitCodeOf(verdict: Verdict): ExitCode {
  return OF_VERDICT[verdict];
}

/** The gravest first: what a campaign with several kinds of failure ends with. */
const GRAVITY: readonly Verdict[] = ['crash', 'safety', 'liveness', 'budget', 'pass'];

export function gravest(verdicts: Iterable<Verdict>): Verdict {
  const found = new Set(verdicts);
  return GRAVITY.find((verdict) => found.has(verdict)) ?? 'pass';
}
