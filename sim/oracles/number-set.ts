/** Bits of one element: with these it is a small integer in every engine. */
const BITS = 30;

/** A set of dense numbers, a bit each. */
export class NumberSet {
  readonly #words: number[] = [];

  has(value: number): boolean {
    const word = this.#words[Math.floor(value / BITS)];
    return word !== undefined && ((word >>> (value % BITS)) & 1) === 1;
  }

  add(value: number): void {
    const place = Math.floor(value / BITS);
    while (this.#words.length <= place) this.#words.push(0);
    this.#words[place] = this.#words[place]! | (1 << (value % BITS));
  }
}
