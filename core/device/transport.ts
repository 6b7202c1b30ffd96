import { doubled } from '../contract/backoff.ts';
import { hasElapsed } from '../contract/elapsed.ts';
import type { Limits } from '../contract/limits.ts';
import type { Micros } from '../contract/time.ts';

/** What carries the frames of a connection. Both keep the same promises; a WebSocket costs less. */
export type Transport = 'websocket' | 'poll';
/** `auto`: a WebSocket, and long polling where something on the way does not let it through. */
export type TransportChoice = 'auto' | Transport;

export interface Path {
  readonly choice: TransportChoice;
  /** Of the current connection, or of the last one. */
  transport: Transport;
  /** WebSockets in a row that ended before WELCOME. From `websocketAttempts` on the device polls. */
  misses: number;
  /** When it began to poll, or last tried a WebSocket in vain. */
  blockedAt: Micros;
  /** WebSockets tried in vain since; each doubles the time until the next. */
  detours: number;
}

export function newPath(choice: TransportChoice): Path {
  return {
    choice,
    transport: choice === 'poll' ? 'poll' : 'websocket',
    misses: 0,
    blockedAt: 0 as Micros,
    detours: 0,
  };
}

/** @returns how the next connection is to be made. */
export function choosePath(path: Path, limits: Limits, now: Micros): Transport {
  if (path.choice !== 'auto') return path.choice;
  path.transport = path.misses < limits.websocketAttempts || isDue(path, limits, now) ? 'websocket' : 'poll';
  return path.transport;
}

/** Whether a device that polls, and that a short interruption would not disturb, is to try a WebSocket. */
export function wantsWebSocket(path: Path, limits: Limits, now: Micros): boolean {
  return path.choice === 'auto' && path.transport === 'poll' && isDue(path, limits, now);
}

/**
 * An attempt ended before WELCOME.
 * @param status of an HTTP answer, if that was it; a server that is busy or starting says nothing about the way to it.
 */
export function missed(path: Path, limits: Limits, status: number | undefined, now: Micros): void {
  if (path.choice !== 'auto' || status === 429 || status === 503) return;
  if (path.transport === 'poll') {
    // Nobody is there by this way either. Both in turn from now on: which one comes back first is not known.
    path.misses = Math.max(0, limits.websocketAttempts - 1);
    return;
  }
  path.misses++;
  if (path.misses < limits.websocketAttempts) return;
  if (path.misses > limits.websocketAttempts) path.detours++;
  path.blockedAt = now;
}

/** WELCOME came. */
export function reached(path: Path): void {
  if (path.transport !== 'websocket') return;
  path.misses = 0;
  path.detours = 0;
}

function isDue(path: Path, limits: Limits, now: Micros): boolean {
  const after = doubled(limits.websocketRetry, path.detours, limits.websocketRetryMax);
  return hasElapsed(path.blockedAt, after, now);
}
