/**
 * The rolling hash of a run: two 32-bit lanes over every word mixed in, in order. Two runs of one scenario that differ
 * anywhere differ here from that event on, which is how a break of determinism is noticed and its first event named.
 */
export class StateHash {
  #low = 0x2545f491;
  #high = 0x6c078965;

  /** Mixes one word; a number beyond 32 bits counts modulo 2^32, a fraction is cut off. */
  mix(word: number): void {
    const low = Math.imul(this.#low ^ word, 0x9e3779b1);
    this.#low = low ^ (low >>> 15);
    const high = Math.imul((this.#high ^ low) + word, 0x85ebca6b);
    this.#high = high ^ (high >>> 13);
  }

  /** 32 bits unsigned: for a log of every event. */
  get word(): number {
    return (this.#low ^ this.#high) >>> 0;
  }

  /** 16 hexadecimal digits. */
  get text(): string {
    return hex(this.#high) + hex(this.#low);
  }
}

function hex(word: number): string {
  return (word >>> 0).toString(16).padStart(8, '0');
}
