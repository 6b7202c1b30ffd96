import { hashText } from '../../core/contract/random.ts';
import type { DeliveryEvent } from '../../core/contract/records.ts';
import type { QueueRecord } from '../../core/delivery/delivery-event.ts';
import type { WorkerHost } from './worker-host.ts';

/** Finished records are forgotten in lots of this many. */
const TRIM = 256;

/** One partition of the delivery queue: its records, how far they were handed out, and how far they are finished. */
export class Partition {
  readonly number: number;
  /** Records from the trimmed start on, by ascending offset. */
  #records: QueueRecord[] = [];
  #nextOffset = 0;
  /** What lies below is gone, whoever had read it. */
  #start = 0;
  /** Index into the records of the next one to hand out. */
  #position = 0;
  /** Of those so many are finished, from the first on. */
  #finished = 0;
  committed = 0;
  owner: WorkerHost | undefined;
  generation = 0;
  /** A poll is on its way. */
  polled = false;

  constructor(number: number) {
    this.number = number;
  }

  /** @param skip offsets left out before this record: markers of transactions take some in a real log. */
  append(event: DeliveryEvent, skip: number): void {
    this.#records.push({ offset: this.#nextOffset + skip, event });
    this.#nextOffset += skip + 1;
  }

  hasNext(): boolean {
    return this.#position < this.#records.length;
  }

  /** Hands out the next records, at most `limit`. */
  take(limit: number): readonly QueueRecord[] {
    const records = this.#records.slice(this.#position, this.#position + limit);
    this.#position += records.length;
    return records;
  }

  /**
   * Starts again from the committed offset. One outside the log stands for nothing: the consumer begins at the log's start.
   * @returns how many records are handed out a second time.
   */
  rewind(): number {
    const before = this.#position;
    if (this.committed < this.#start || this.committed > this.#nextOffset) this.committed = this.#start;
    this.#position = 0;
    this.#finished = 0;
    while (this.#position < this.#records.length && this.#records[this.#position]!.offset < this.committed) {
      this.#position++;
    }
    return Math.max(0, before - this.#position);
  }

  /** Takes a commit; one behind an earlier one says nothing new. */
  commit(offset: number): void {
    this.committed = Math.max(this.committed, offset);
    let finished = this.#finished;
    while (finished < this.#position && this.#records[finished]!.offset < offset) finished++;
    this.#finished = finished;
    if (finished >= TRIM && finished <= this.#position) this.#forget(finished);
  }

  #forget(count: number): void {
    this.#records = this.#records.slice(count);
    this.#position = Math.max(0, this.#position - count);
    this.#finished = 0;
  }

  /** An offset without a record that anybody is handed: the marker of a transaction, a record that nobody can read. */
  leaveHole(): void {
    this.#nextOffset++;
  }

  /** Somebody who is no consumer sets the committed offset. @param to undefined: beyond the end of the log. */
  moveCommit(to: number | undefined): void {
    this.committed = to ?? this.#nextOffset + 1;
  }

  /** Retention removes what lies below, read or not. */
  expire(below: number): void {
    this.#forget(this.#records.filter(({ offset }) => offset < below).length);
    this.#start = below;
  }

  /** Where the next record goes, holes aside. */
  get end(): number {
    return this.#nextOffset;
  }

  /** What is kept, by ascending offset. */
  get records(): readonly QueueRecord[] {
    return this.#records;
  }

  /**
   * Its leader died before another broker had what lies from `end` on: that is gone, acknowledged or not, and its offsets are
   * given again. Never the fate of what waited for every copy, so no fault of a run does this; a script shows why.
   */
  loseFrom(end: number): void {
    this.#records = this.#records.filter(({ offset }) => offset < end);
    this.#position = Math.min(this.#position, this.#records.length);
    this.#finished = 0;
    this.#nextOffset = end;
  }

  /** @returns the offset of the first record whose event matches. */
  offsetOf(matches: (event: DeliveryEvent) => boolean): number | undefined {
    return this.#records.find(({ event }) => matches(event))?.offset;
  }

  /** Records that are not finished. */
  get lag(): number {
    return this.#records.reduce((count, record) => (record.offset >= this.committed ? count + 1 : count), 0);
  }
}

/** @returns the partition of a recipient among `count`: everything for one recipient is in one. */
export function partitionOf(recipient: string, count: number): number {
  return hashText(recipient) % count;
}
