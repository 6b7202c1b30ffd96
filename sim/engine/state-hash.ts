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

  /** Mixes a number beyond 32 bits too: a time, an id. */
  mixNumber(value: number): void {
    this.mix(value);
    if (value > 0x7fff_ffff) this.mix(value / 0x1_0000_0000);
  }

  /** Mixes a text by its length and four characters, mostly of its end: where ids differ, at a constant price. */
  mixText(text: string): void {
    const { length } = text;
    if (length < 3) {
      this.mix(length === 0 ? 0x4e4f : text.charCodeAt(0) ^ (text.charCodeAt(length - 1) << 16));
      return;
    }
    this.mix(
      (length << 2) ^
        text.charCodeAt(length - 1) ^
        (text.charCodeAt(length - 2) << 8) ^
        (text.charCodeAt(length - 3) << 16) ^
        (text.charCodeAt(length >> 1) << 24),
    );
  }

  /** Mixes whatever plain data holds, in its own order. */
  mixData(value: unknown): void {
    switch (typeof value) {
      case 'number':
        this.mixNumber(value);
        return;
      case 'string':
        this.mixText(value);
        return;
      case 'object':
        if (Array.isArray(value)) {
          this.mix(value.length);
          for (let i = 0; i < value.length; i++) this.mixData(value[i]);
        } else for (const field of Object.values(value ?? {})) this.mixData(field);
        return;
      default:
        this.mix(value === undefined ? 1 : value === true ? 2 : 3);
    }
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
