import type { ConnId } from '../contract/ids.ts';
import type { Micros } from '../contract/time.ts';
import type { Out } from './session-state.ts';

/** When a timer comes, roughly; undefined when it is not armed. */
export interface DueTimer {
  dueAt: Micros | undefined;
}

/**
 * Arms a timer of the gateway, or of one session, unless it is due no later. A wake-up takes the place of the one before it, so whoever armed
 * it anew at each event would put it off for as long as the events keep coming, and with it the work of everybody else.
 * The clock may step, so an armed time that looks far off is not believed; one that is past by little is on its way.
 */
export function armNoLater(
  timer: 'heads' | 'presence' | 'retry',
  due: DueTimer,
  after: number,
  now: Micros,
  out: Out,
  conn?: ConnId,
): void {
  const { dueAt } = due;
  if (dueAt !== undefined && dueAt <= now + after && dueAt + after >= now) return;
  due.dueAt = (now + after) as Micros;
  out.push({ kind: 'wake', timer, conn, after });
}
