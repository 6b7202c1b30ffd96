/** What a device has of the numbered frames of one poll session: the other end of `core/session/poll-buffer.ts`. */
export interface PollInbox {
  /** Every frame up to this number has been taken, in order. It is what the next request acknowledges. */
  got: number;
}

export function newPollInbox(): PollInbox {
  return { got: 0 };
}

/**
 * Takes a response: its frames have the numbers up to `last`. What an earlier response brought is left out.
 * @returns the frames that are next, in order; undefined when one before them is missing, and the response is of no use.
 */
export function takeResponse<Frame>(
  inbox: PollInbox,
  frames: readonly Frame[],
  last: number,
): readonly Frame[] | undefined {
  const before = last - frames.length;
  if (before > inbox.got) return undefined;
  const fresh = frames.slice(inbox.got - before);
  if (last > inbox.got) inbox.got = last;
  return fresh;
}
