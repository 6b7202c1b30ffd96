/**
 * How far one assignment of a partition is: what was handed over, what is finished, and which records were set aside.
 *
 * The core commits what it was handed; a record set aside as poison was handed to nobody. A commit goes past it once it is
 * safe in the dead-letter topic and everything before it is finished, so that neither a gap is committed nor the same
 * poison read again after each restart.
 */
export interface PartitionProgress {
  /** Names this assignment; no other has the same number. */
  readonly generation: number;
  /** The offset after the last that was read. A lower one that comes later means that the log was cut and begins anew. */
  next: number;
  /** The offset after the last that was handed over. */
  handed: number;
  /** Everything below that was handed over is finished. */
  handedFinished: number;
  /** Everything below is finished, or safe: what may be committed. *Invariant:* finished <= next. */
  finished: number;
  /** What was committed, or is on its way. */
  committed: number;
  /** Records set aside, in order of offset. */
  readonly aside: SetAside[];
}

export interface SetAside {
  readonly offset: number;
  /** The commit passes the record when everything below this is finished: what was handed over before it. */
  readonly after: number;
  /** It is durable in the dead-letter topic. */
  safe: boolean;
}

/** @param offset of the first record that is read. */
export function newPartitionProgress(generation: number, offset: number): PartitionProgress {
  return {
    generation,
    next: offset,
    handed: offset,
    handedFinished: offset,
    finished: offset,
    committed: offset,
    aside: [],
  };
}

export function noteHanded(progress: PartitionProgress, offset: number): void {
  progress.next = offset + 1;
  progress.handed = offset + 1;
}

export function setAside(progress: PartitionProgress, offset: number): SetAside {
  const record = { offset, after: progress.handed, safe: false };
  progress.next = offset + 1;
  progress.aside.push(record);
  return record;
}

/** Everything below `offset` that was handed over is finished. Stops before what was set aside and is not safe yet. */
export function advance(progress: PartitionProgress, offset: number): void {
  progress.handedFinished = Math.max(progress.handedFinished, offset);
  for (;;) {
    const first = progress.aside[0];
    if (first === undefined || progress.handedFinished < first.after) {
      progress.finished = Math.max(progress.finished, progress.handedFinished);
      return;
    }
    progress.finished = Math.max(progress.finished, first.offset);
    if (!first.safe) return;
    progress.finished = first.offset + 1;
    progress.aside.shift();
  }
}

/** A record that was set aside became safe. */
export function noteSafe(progress: PartitionProgress, record: SetAside): void {
  record.safe = true;
  advance(progress, progress.handedFinished);
}
