import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { randomSeed } from '../random-seed.ts';
import { describeDifference } from '../report.ts';
import type { Suite } from '../script.ts';
import { APPEND_SCRIPTS } from './append-scripts.ts';
import { OUTCOME_SCRIPTS } from './outcome-scripts.ts';
import { openPostgresSuite } from './postgres-suite.ts';
import { READER_SCRIPTS } from './reader-scripts.ts';

let suite: Suite;
beforeAll(async () => {
  suite = await openPostgresSuite();
});
afterAll(() => suite.close());

describe('the message store model does what PostgreSQL does', () => {
  for (const { name, story } of [...APPEND_SCRIPTS, ...OUTCOME_SCRIPTS, ...READER_SCRIPTS]) {
    test(`${name}: ${story}`, async () => {
      const comparison = await suite.run(name);
      expect(comparison.equal, describeDifference(comparison)).toBe(true);
    });
  }

  test('random scripts', async () => {
    const comparisons = await suite.runRandom(40, randomSeed());
    const differing = comparisons.filter(({ equal }) => !equal);
    expect(differing.map(describeDifference)).toEqual([]);
  });
});
