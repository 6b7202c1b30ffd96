import { type History, NONE } from './history.ts';
import type { JudgeOptions } from './judge.ts';
import type { Oracle, Violation } from './oracle.ts';
import { overdue } from './violation.ts';

const NAME = 'latency';

/** Fewer samples than this say nothing about one in a hundred. */
const FEWEST = 100;

/** How many deliveries were timed, and how many of them took longer than the limit. */
export interface LatencyCount {
  timed: number;
  slow: number;
  slowest: number;
}

/**
 * Promise 10. With no fault about, 99 of 100 deliveries take less than the limit from send to show. A delivery is timed
 * when both devices were live from the send on and no fault has been active since a lease before it: what a fault leaves
 * behind (a back-off, a lost registry entry) is gone by then.
 */
export function latency(history: History, options: JudgeOptions, count: LatencyCount): Oracle {
  const { latencyLimit, limits } = options;
  const aftermath = limits.leaseTtl + limits.heartbeat;
  const liveSince = (device: number, since: number): boolean =>
    history.live[device]! && history.liveSince[device]! <= since;
  return {
    name: NAME,
    on:
      latencyLimit === undefined
        ? {}
        : {
            shown(_, at) {
              const send = history.messageSend[history.message]!;
              const sentAt = send === NONE ? NONE : history.sentAt[send]!;
              if (sentAt === NONE || history.sendDevice[send] === history.device) return undefined;
              if (!history.calmSince(sentAt - aftermath)) return undefined;
              if (!liveSince(history.device, sentAt) || !liveSince(history.sendDevice[send]!, sentAt))
                return undefined;
              count.timed++;
              if (at - sentAt > latencyLimit) count.slow++;
              if (at - sentAt > count.slowest) count.slowest = at - sentAt;
              return undefined;
            },
            end: (_, at) => tooSlow(count, latencyLimit, at),
          },
  };
}

function tooSlow(count: LatencyCount, limit: number, at: number): Violation | undefined {
  if (count.timed < FEWEST || count.slow * 100 <= count.timed) return undefined;
  return overdue(
    NAME,
    at,
    `99 of 100 deliveries without a fault take at most ${limit / 1_000} ms`,
    `${count.slow} of ${count.timed} took longer, the slowest ${count.slowest / 1_000} ms`,
    [],
  );
}
