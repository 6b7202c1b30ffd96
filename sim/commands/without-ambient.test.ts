import { describe, expect, it } from 'vitest';
import { runJudged } from '../properties/run-judged.ts';
import { scenarioOfSeed } from '../properties/scenario-of-seed.ts';
import { withoutAmbient } from './without-ambient.ts';

describe('withoutAmbient', () => {
  it('throws where time, chance or the event loop is asked, and restores them', () => {
    const calls: readonly (() => unknown)[] = [
      () => Date.now(),
      () => performance.now(),
      () => Math.random(),
      () => crypto.randomUUID(),
      () => setTimeout(() => {}, 0),
      () => queueMicrotask(() => {}),
    ];
    for (const call of calls) {
      expect(() => withoutAmbient(call)).toThrow(/would not replay/);
      expect(call).not.toThrow();
    }
  });

  it('lets whole runs through: the simulator asks for none of them', () => {
    const results = withoutAmbient(() => [1, 2, 3].map((seed) => runJudged(scenarioOfSeed(seed), {})));
    expect(results.map((result) => result.verdict)).not.toContain('crash');
  });
});
