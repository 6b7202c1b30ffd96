import { afterEach, expect, test, vi } from 'vitest';
import { randomSeed, SEED_VARIABLE } from './random-seed.ts';

afterEach(() => {
  vi.unstubAllEnvs();
});

test.for([
  ['42', 42],
  ['8322b0f0aabbccddeeff00112233445566778899', 0x0322_b0f0],
  ['4294967295', 0x7fff_ffff],
] as const)('%s draws from %s', ([text, seed]) => {
  vi.stubEnv(SEED_VARIABLE, text);
  expect(randomSeed()).toBe(seed);
});

test('what is no number and no commit is refused', () => {
  vi.stubEnv(SEED_VARIABLE, 'yesterday');
  expect(() => randomSeed()).toThrow(/PARLEY_CONFORMANCE_SEED: "yesterday" is no number and no commit/);
});

test('a commit draws the same whenever it is tested', () => {
  vi.stubEnv(SEED_VARIABLE, undefined);
  expect(randomSeed()).toBe(randomSeed());
});
