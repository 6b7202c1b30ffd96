import { assert } from '../contract/assert.ts';

/**
 * Frames on their way to a device that polls. They are numbered from 1 in the order in which the session said them, and
 * stay here until the device has them, so that a response that is lost on the way loses nothing.
 *
 * A device that says in each request what it has (`ack`) is sent everything above that again: what it got twice it knows
 * by the numbers. One that never says it is taken at the word of its connection: what a response carried whole is with it,
 * what broke off is sent again.
 */
export interface PollBuffer {
  /** Encoded frames that the device may not have, oldest first; the first has the number `acked + 1`. */
  waiting: string[];
  acked: number;
  /** Highest number that a response carried. *Invariant:* acked <= sent <= acked + waiting.length. */
  sent: number;
  /** Characters in `waiting`. */
  size: number;
  /** The device acknowledges. */
  explicit: boolean;
}

/** Frames of one response: those up to number `last`. */
export interface PollPage {
  readonly frames: readonly string[];
  readonly last: number;
}

export function newPollBuffer(): PollBuffer {
  return { waiting: [], acked: 0, sent: 0, size: 0, explicit: false };
}

export function addFrame(buffer: PollBuffer, text: string): void {
  buffer.waiting.push(text);
  buffer.size += text.length;
}

/** Whether a response would carry something. */
export function hasPage(buffer: PollBuffer): boolean {
  return buffer.waiting.length > startOf(buffer) - buffer.acked;
}

/** The device has everything up to this number. @returns false when it cannot: no response has carried that. */
export function acknowledge(buffer: PollBuffer, upTo: number): boolean {
  if (upTo > buffer.sent) return false;
  buffer.explicit = true;
  release(buffer, upTo);
  return true;
}

/**
 * Takes what the next response carries: as much as `size` holds, and at least one frame if there is one.
 * @param size characters.
 */
export function takePage(buffer: PollBuffer, size: number): PollPage {
  const from = startOf(buffer) - buffer.acked;
  const { waiting } = buffer;
  let to = from;
  let used = 0;
  while (to < waiting.length) {
    used += (waiting[to] as string).length;
    if (used > size && to > from) break;
    to++;
  }
  const last = buffer.acked + to;
  if (last > buffer.sent) buffer.sent = last;
  return { frames: waiting.slice(from, to), last };
}

/** How a response ended. @param whole the connection took all of it; it may be lost behind that all the same. */
export function responseEnded(buffer: PollBuffer, page: PollPage, whole: boolean): void {
  if (buffer.explicit || page.frames.length === 0) return;
  // Behind a page that broke off nothing counts as received: it is sent again, in order.
  if (!whole) buffer.sent = buffer.acked;
  else if (page.last - page.frames.length <= buffer.acked) release(buffer, page.last);
}

function startOf(buffer: PollBuffer): number {
  return buffer.explicit ? buffer.acked : buffer.sent;
}

function release(buffer: PollBuffer, upTo: number): void {
  const count = upTo - buffer.acked;
  if (count <= 0) return;
  assert(count <= buffer.waiting.length, 'a poll acknowledged what was never said');
  for (let i = 0; i < count; i++) buffer.size -= (buffer.waiting[i] as string).length;
  buffer.waiting = count === buffer.waiting.length ? [] : buffer.waiting.slice(count);
  buffer.acked = upTo;
  if (buffer.sent < upTo) buffer.sent = upTo;
}
