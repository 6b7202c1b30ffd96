import type { Host } from './host.ts';

/**
 * A one-shot wake-up of one host. Arming it again replaces the pending one; the queue keeps at most one live entry per
 * timer: when the due time only moves back, the old entry is left in place and sends itself on when it comes.
 */
export class Timer {
  readonly host: Host;
  /** The machine's wake event; one object for all wake-ups. */
  readonly event: object;
  armed = false;
  due = 0;
  /** Time of the live queue entry, and its stamp; any other entry is void. */
  queuedAt = Number.POSITIVE_INFINITY;
  stamp = 0;
  incarnation = -1;

  constructor(host: Host, event: object) {
    this.host = host;
    this.event = event;
  }
}
