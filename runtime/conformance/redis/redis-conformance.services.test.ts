import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { describeDifference } from '../report.ts';
import type { Suite } from '../script.ts';
import { FAILOVER_SCRIPTS } from './failover-scripts.ts';
import { FAULT_SCRIPTS } from './fault-scripts.ts';
import { LEASE_SCRIPTS } from './lease-scripts.ts';
import { openRedisSuite } from './redis-suite.ts';

/** The same scripts each time, unless a run asks for others. */
const SEED = Number(process.env['PARLEY_CONFORMANCE_SEED'] ?? 20_260);

let suite: Suite;
beforeAll(async () => {
  suite = await openRedisSuite();
});
afterAll(() => suite.close());

describe('the registry model does what Redis does', () => {
  for (const { name, story } of [...LEASE_SCRIPTS, ...FAULT_SCRIPTS, ...FAILOVER_SCRIPTS]) {
    test(`${name}: ${story}`, async () => {
      const comparison = await suite.run(name);
      expect(comparison.equal, describeDifference(comparison)).toBe(true);
    });
  }

  test('random scripts', async () => {
    const comparisons = await suite.runRandom(20, SEED);
    const differing = comparisons.filter(({ equal }) => !equal);
    expect(differing.map(describeDifference)).toEqual([]);
  });
});
