import type { History } from './history.ts';
import type { Oracle } from './oracle.ts';
import { owed } from './owed.ts';
import { overdue } from './violation.ts';

const MOST_STUCK = 12;

/**
 * Promise 9. After the heal everybody who can be served gets connected, gets every message that was committed, gets an
 * answer to every send, and the system comes to rest, within a budget that progress resets.
 */
export function converges(history: History): Oracle {
  return {
    name: 'converges',
    on: {
      end({ quiet }, at) {
        if (!history.healed) return undefined;
        const stuck = owed(history, MOST_STUCK);
        if (stuck.length === 0 && quiet) return undefined;
        const since = at - history.healedAt;
        return overdue(
          'converges',
          at,
          'everybody who can be served has everything, and the system is at rest',
          stuck.length === 0
            ? `it is still busy ${seconds(since)} after the heal`
            : `${stuck.length === MOST_STUCK ? 'at least ' : ''}${stuck.length} still wait ${seconds(since)} after the heal`,
          stuck,
        );
      },
    },
  };
}

const seconds = (micros: number): string => `${(micros / 1_000_000).toFixed(3)} s`;
