/**
 * The `wake` effect: one-shot timers by (timer, connection), where a new one replaces a pending one.
 *
 * Machines push their deadlines out far more often than they let them pass (every frame postpones a session's
 * silence timer). So a later deadline only overwrites a number; the timer that is armed finds it when it fires, and
 * arms itself for the rest.
 */
export interface WakeTimers<Timer extends string> {
  /** @param after microseconds from now, at least 0. */
  set(timer: Timer, conn: number | undefined, after: number): void;
  /** Drops every timer; nothing fires afterwards. */
  stop(): void;
}

interface Pending<Timer> {
  readonly timer: Timer;
  readonly conn: number | undefined;
  /** Milliseconds on the monotonic clock. */
  due: number;
  armedFor: number;
  handle: NodeJS.Timeout;
}

/** A longer delay of `setTimeout` counts as none at all. A timer that fires early finds its deadline, and waits for the rest. */
const LONGEST_MS = 2 ** 31 - 1;

/** Stands for "no connection" as a map key. */
const NO_CONN = -1;

export function createWakeTimers<Timer extends string>(
  fire: (timer: Timer, conn: number | undefined) => void,
): WakeTimers<Timer> {
  const byTimer = new Map<Timer, Map<number, Pending<Timer>>>();
  let stopped = false;

  function elapsed(pending: Pending<Timer>): void {
    const rest = pending.due - performance.now();
    if (rest >= 1) {
      arm(pending, rest);
      return;
    }
    byTimer.get(pending.timer)?.delete(pending.conn ?? NO_CONN);
    fire(pending.timer, pending.conn);
  }

  function arm(pending: Pending<Timer>, delayMs: number): void {
    pending.armedFor = pending.due;
    pending.handle = setTimeout(elapsed, Math.min(Math.ceil(delayMs), LONGEST_MS), pending);
  }

  return {
    set(timer, conn, after) {
      if (stopped) return;
      const key = conn ?? NO_CONN;
      let pendings = byTimer.get(timer);
      if (pendings === undefined) {
        pendings = new Map<number, Pending<Timer>>();
        byTimer.set(timer, pendings);
      }
      const delayMs = after / 1_000;
      const due = performance.now() + delayMs;
      const pending = pendings.get(key);
      if (pending === undefined) {
        const fresh = { timer, conn, due, armedFor: due } as Pending<Timer>;
        pendings.set(key, fresh);
        arm(fresh, delayMs);
        return;
      }
      pending.due = due;
      if (due >= pending.armedFor) return;
      clearTimeout(pending.handle);
      arm(pending, delayMs);
    },
    stop() {
      stopped = true;
      for (const pendings of byTimer.values())
        for (const { handle } of pendings.values()) clearTimeout(handle);
      byTimer.clear();
    },
  };
}
