import type { History } from './history.ts';
import type { JudgeOptions } from './judge.ts';
import type { Oracle } from './oracle.ts';
import { broken } from './violation.ts';

/**
 * Promise 14. No session outlives its token by more than the time in which its gateway looks after it. Judged while no fault
 * is about: a clock that steps, and a process that stands still, look late.
 */
export function tokensAreHonoured(history: History, { limits }: JudgeOptions): Oracle {
  const bound = Math.max(limits.heartbeat, limits.resumeTimeout);
  return {
    name: 'tokens-are-honoured',
    on: {
      outlived({ span }, at) {
        if (span <= bound || !history.undisturbedSince(at - bound)) return undefined;
        return broken(
          'tokens-are-honoured',
          at,
          `the session of ${history.nameDevice(history.device)} ends when its token does`,
          `it goes on ${(span / 1_000_000).toFixed(3)} s after that`,
        );
      },
    },
  };
}
