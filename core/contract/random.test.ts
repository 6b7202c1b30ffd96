import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hashText, keyedHash, keyedInt } from './random.ts';

const word = fc.integer({ min: -0x8000_0000, max: 0xffff_ffff });

describe('keyed randomness', () => {
  it('stays what it is: another value would change every recorded seed', () => {
    expect([
      keyedHash(0, 0, 0),
      keyedHash(1, 2, 3),
      keyedHash(3, 2, 1),
      keyedHash(-1, 0xffff_ffff, 7),
    ]).toEqual(GOLDEN_HASHES);
    expect(Array.from({ length: 10 }, (_, key) => keyedInt(42, 7, key, 100))).toEqual(GOLDEN_DRAWS);
    // The published FNV-1a vectors of single-byte text: "", "a", "foobar".
    expect([hashText(''), hashText('a'), hashText('foobar')]).toEqual([0x811c9dc5, 0xe40c292c, 0xbf9cf968]);
  });

  it('draws within its bound, up to the ends of the range', () => {
    fc.assert(
      fc.property(word, word, word, fc.integer({ min: 1, max: 2 ** 32 }), (seed, stream, key, bound) => {
        const drawn = keyedInt(seed, stream, key, bound);
        expect(Number.isInteger(drawn)).toBe(true);
        expect(drawn).toBeGreaterThanOrEqual(0);
        expect(drawn).toBeLessThan(bound);
        const hash = keyedHash(seed, stream, key);
        expect(hash).toBe(hash >>> 0);
        expect(keyedInt(seed, stream, key, 2 ** 32)).toBe(hash);
        expect(keyedInt(seed, stream, key, 1)).toBe(0);
      }),
      { numRuns: 1_000 },
    );
  });

  it.each(['seed', 'stream', 'key'])('spreads neighbours of one %s evenly', (which) => {
    const buckets = Array.from({ length: 16 }, () => 0);
    const draws = 16_000;
    for (let i = 0; i < draws; i++) {
      const drawn = keyedInt(
        which === 'seed' ? i : 1,
        which === 'stream' ? i : 2,
        which === 'key' ? i : 3,
        16,
      );
      buckets[drawn] = (buckets[drawn] ?? 0) + 1;
    }
    // Chi-squared with 15 degrees of freedom: above 50 by chance once in 80,000, and these draws are fixed.
    const chi = buckets.reduce((sum, n) => sum + (n - draws / 16) ** 2 / (draws / 16), 0);
    expect(chi).toBeLessThan(50);
  });

  it('makes the draws of two streams independent: they agree as often as chance has it', () => {
    for (const [a, b] of [
      [1, 2],
      [hashText('d_1'), hashText('d_2')],
      [0, 0x8000_0000],
    ] as const) {
      let same = 0;
      for (let key = 0; key < 10_000; key++) if (keyedInt(9, a, key, 10) === keyedInt(9, b, key, 10)) same++;
      expect(same).toBeGreaterThan(850);
      expect(same).toBeLessThan(1_150);
    }
  });

  it('changes about half of the bits when one bit of the seed, the stream or the key changes', () => {
    let flipped = 0;
    let trials = 0;
    for (let key = 0; key < 100; key++) {
      for (let bit = 0; bit < 32; bit++) {
        const base = keyedHash(5, 6, key);
        const others = [
          keyedHash(5 ^ (1 << bit), 6, key),
          keyedHash(5, 6 ^ (1 << bit), key),
          keyedHash(5, 6, key ^ (1 << bit)),
        ];
        for (const other of others) {
          let diff = (base ^ other) >>> 0;
          for (; diff !== 0; diff &= diff - 1) flipped++;
          trials++;
        }
      }
    }
    expect(flipped / trials).toBeGreaterThan(15.5);
    expect(flipped / trials).toBeLessThan(16.5);
  });
});

const GOLDEN_HASHES = [744_138_621, 2_901_138_804, 1_950_153_599, 2_204_538_133];
const GOLDEN_DRAWS = [58, 61, 67, 15, 39, 13, 85, 88, 69, 80];
