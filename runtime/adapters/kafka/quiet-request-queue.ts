import { createRequire } from 'node:module';

/** The part of kafkajs 2.2.4 that is mended here (`src/network/requestQueue/index.js`). */
interface RequestQueue {
  readonly pending: readonly unknown[];
  scheduleCheckPendingRequests(): void;
}

/**
 * Stops the idle timers of kafkajs. After its first request each connection sets a timer with a negative delay (the time
 * until an unset throttle ends), looks, finds nothing, and sets it again: a thousand wake-ups a second for each connection, and
 * a warning from Node. Requests that really wait, because the broker throttles, are looked at as before.
 * Price of leaving it: 3 % of a core for a worker that does nothing.
 */
export function quietRequestQueues(): void {
  const require = createRequire(import.meta.url);
  const { prototype } = require('kafkajs/src/network/requestQueue') as { readonly prototype: RequestQueue };
  const schedule = Object.getOwnPropertyDescriptor(prototype, 'scheduleCheckPendingRequests')?.value as
    | RequestQueue['scheduleCheckPendingRequests']
    | undefined;
  // Another version may have another name for it, and no such fault.
  if (schedule === undefined || schedule.name !== 'scheduleCheckPendingRequests') return;
  prototype.scheduleCheckPendingRequests = function whenSomethingWaits(this: RequestQueue): void {
    if (this.pending.length > 0) schedule.call(this);
  };
}
