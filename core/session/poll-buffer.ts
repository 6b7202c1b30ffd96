import { assert } from '../contract/assert.ts';

/**
 * Frames on their way to a device that polls. They are numbered from 1 in the order in which the session said them, and
 * stay here until the device has them, so that a response that is lost on the way loses nothing.
 *
 * A device that says in each request what it has (`ack`) is sent everything above that again: what it got twice it knows
 * by the numbers. One that never says it is taken at the word of its connection: what a response carried whole is with it,
 * what broke off is sent again.
 */
export interface PollBuffer<Frame = string> {
  /** Frames that the device may not have, oldest first; the first has the number `acked + 1`. */
  waiting: Sized<Frame>[];
  acked: number;
  /** Highest number that a response carried. *Invariant:* acked <= sent <= acked + waiting.length. */
  sent: number;
  /** Characters in `waiting`. */
  size: number;
  /** The device acknowledges. */
  explicit: boolean;
}

/** A frame as it is sent (text, in production), and how many characters that takes. */
interface Sized<Frame> {
  readonly frame: Frame;
  readonly size: number;
}

/** Frames of one response: those up to number `last`. */
export interface PollPage<Frame = string> {
  readonly frames: readonly Frame[];
  readonly last: number;
}

export function newPollBuffer<Frame = string>(): PollBuffer<Frame> {
  return { waiting: [], acked: 0, sent: 0, size: 0, explicit: false };
}

/** @param size characters. */
export function addFrame<Frame>(buffer: PollBuffer<Frame>, frame: Frame, size: number): void {
  buffer.waiting.push({ frame, size });
  buffer.size += size;
}

/** Whether a response would carry something. */
export function hasPage(buffer: PollBuffer<unknown>): boolean {
  return buffer.waiting.length > startOf(buffer) - buffer.acked;
}

/** The device has everything up to this number. @returns false when it cannot: no response has carried that. */
export function acknowledge(buffer: PollBuffer<unknown>, upTo: number): boolean {
  if (upTo > buffer.sent) return false;
  buffer.explicit = true;
  release(buffer, upTo);
  return true;
}

/**
 * Takes what the next response carries: as much as `size` holds, and at least one frame if there is one.
 * @param size characters.
 */
export function takePage<Frame>(buffer: PollBuffer<Frame>, size: number): PollPage<Frame> {
  const from = startOf(buffer) - buffer.acked;
  const { waiting } = buffer;
  let to = from;
  let used = 0;
  while (to < waiting.length) {
    used += (waiting[to] as Sized<Frame>).size;
    if (used > size && to > from) break;
    to++;
  }
  const last = buffer.acked + to;
  if (last > buffer.sent) buffer.sent = last;
  return { frames: waiting.slice(from, to).map(({ frame }) => frame), last };
}

/** Whether nothing is left to say behind this page. */
export function isLastPage(buffer: PollBuffer<unknown>, page: PollPage<unknown>): boolean {
  return page.last >= buffer.acked + buffer.waiting.length;
}

/** How a response ended. @param whole the connection took all of it; it may be lost behind that all the same. */
export function responseEnded(buffer: PollBuffer<unknown>, page: PollPage<unknown>, whole: boolean): void {
  if (buffer.explicit || page.frames.length === 0) return;
  // Behind a page that broke off nothing counts as received: it is sent again, in order.
  if (!whole) buffer.sent = buffer.acked;
  else if (page.last - page.frames.length <= buffer.acked) release(buffer, page.last);
}

function startOf(buffer: PollBuffer<unknown>): number {
  return buffer.explicit ? buffer.acked : buffer.sent;
}

function release(buffer: PollBuffer<unknown>, upTo: number): void {
  const count = upTo - buffer.acked;
  if (count <= 0) return;
  assert(count <= buffer.waiting.length, 'a poll acknowledged what was never said');
  for (let i = 0; i < count; i++) buffer.size -= (buffer.waiting[i] as Sized<unknown>).size;
  buffer.waiting = count === buffer.waiting.length ? [] : buffer.waiting.slice(count);
  buffer.acked = upTo;
  if (buffer.sent < upTo) buffer.sent = upTo;
}
