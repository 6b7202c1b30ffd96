import { afterAll, beforeAll, expect, test } from 'vitest';
import { randomSeed } from '../random-seed.ts';
import { describeDifference } from '../report.ts';
import type { Suite } from '../script.ts';
import { openKafkaSuite } from './kafka-suite.ts';
import { KAFKA_SCRIPTS } from './scripts.ts';

let suite: Suite;

beforeAll(async () => {
  suite = await openKafkaSuite();
});
afterAll(() => suite.close());

test.for(KAFKA_SCRIPTS.map(({ name, story }) => [name, story] as const))('%s: %s', async ([name]) => {
  const comparison = await suite.run(name);
  expect(comparison.equal, describeDifference(comparison)).toBe(true);
});

test('scripts drawn at random', { timeout: 300_000 }, async () => {
  const comparisons = await suite.runRandom(15, randomSeed());
  for (const comparison of comparisons) expect(comparison.equal, describeDifference(comparison)).toBe(true);
  expect(comparisons).toHaveLength(15);
});
