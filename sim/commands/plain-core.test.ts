import { describe, expect, it } from 'vitest';
import { scenarioOfSeed } from '../properties/scenario-of-seed.ts';
import { formatScenarioFile } from './scenario-file.ts';
import { huntMutant } from './hunt-mutant.ts';
import { failsWithoutMutant } from './plain-core.ts';

const RED = { verdict: 'liveness', cause: 'converges' } as const;
const SHRUNK = { ...scenarioOfSeed(3), ops: [] };
const KILL = {
  seed: 3,
  file: formatScenarioFile({ story: '', failed: 'liveness converges', hash: '', scenario: SHRUNK }),
};

describe('a kill', () => {
  it('counts where the core without the mutant passes, at the seed and at what it was shrunk to', () => {
    expect(failsWithoutMutant(KILL, () => undefined)).toBeUndefined();
    expect(failsWithoutMutant(KILL)).toBeUndefined();
  });

  it('does not count where the core fails without the mutant', () => {
    const atTheSeed = failsWithoutMutant(KILL, ({ ops }) => (ops.length > 0 ? RED : undefined));
    expect(atTheSeed).toEqual({ what: 'seed 3', key: RED });
    const shrunkOnly = failsWithoutMutant(KILL, ({ ops }) => (ops.length === 0 ? RED : undefined));
    expect(shrunkOnly).toEqual({ what: 'the shrunk scenario of seed 3', key: RED });
  });

  it('is checked when a hunt ends with one', { timeout: 60_000 }, async () => {
    const order = { from: 1, seeds: 300, shrinkSeconds: 1 };
    const seeds: number[] = [];
    const hunt = await huntMutant({ name: 'ack-before-append' }, order, 55, ({ seed }) => {
      seeds.push(seed);
      return { what: `seed ${seed}`, key: RED };
    });
    expect(hunt).toMatchObject({ outcome: 'plain-red', plain: { what: `seed ${seeds[0]}`, key: RED } });
    expect(seeds).toHaveLength(1);
  });
});
