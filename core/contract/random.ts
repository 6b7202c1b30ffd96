/**
 * Keyed randomness: `hash(seed, stream, key)`, never one shared stream. Each draw depends on its own key only, so adding
 * or removing an event leaves every other draw as it was; that is what lets a failing simulation shrink.
 *
 * The mixer is the 32-bit finaliser of MurmurHash3 (Austin Appleby, public domain), applied to each word in turn.
 */

function mix(hash: number, word: number): number {
  let h = Math.imul(hash ^ word, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  return h ^ (h >>> 16);
}

/** A 32-bit unsigned hash of (seed, stream, key). Words beyond 32 bits are truncated as `ToInt32` does. */
export function keyedHash(seed: number, stream: number, key: number): number {
  return mix(mix(mix(0x9e3779b9, seed), stream), key) >>> 0;
}

/** An integer in [0, bound), uniform up to 2^-32. `bound` is an integer from 1 to 2^32. */
export function keyedInt(seed: number, stream: number, key: number, bound: number): number {
  // Multiply-shift instead of modulo: unbiased enough for every bound in use and without a division.
  return Math.floor((keyedHash(seed, stream, key) * bound) / 0x1_0000_0000);
}

/** FNV-1a over UTF-16 code units, 32 bits unsigned: turns an id into a hash key. */
export function hashText(text: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  return h >>> 0;
}
