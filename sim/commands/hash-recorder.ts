import type { HashLog } from '../run-result.ts';

/** The rolling hash after every event of a run, so that two runs can be compared event by event. */
export class HashRecorder implements HashLog {
  readonly #hashes: number[] = [];

  push(hash: number): void {
    this.#hashes.push(hash);
  }

  /** @returns the position of the first event after which the two differ, or the length of the shorter one. */
  firstDifference(other: HashRecorder): number {
    const length = Math.min(this.#hashes.length, other.#hashes.length);
    for (let i = 0; i < length; i++) if (this.#hashes[i] !== other.#hashes[i]) return i;
    return length;
  }
}
