import { describe, expect, test } from 'vitest';
import { ALL_MUTANTS } from './all-mutants.ts';
import { type Mutant, plant, RottenMutant } from './mutant.ts';

describe('every mutant', () => {
  test('changes the core, has a story and a name of its own', () => {
    for (const { file, story, expected } of ALL_MUTANTS) {
      expect(file).toMatch(/^core\//);
      expect(story).toMatch(/\.$/);
      expect(expected.length).toBeGreaterThan(0);
    }
    expect(new Set(ALL_MUTANTS.map((mutant) => mutant.name)).size).toBe(ALL_MUTANTS.length);
  });
});

describe('planting', () => {
  const mutant: Mutant = {
    name: 'wrong',
    file: 'core/nothing.ts',
    find: 'a < b',
    replace: 'a <= b',
    story: 'Off by one.',
    expected: ['order-per-chat'],
  };

  test('changes the one place', () => {
    expect(plant(mutant, 'if (a < b) return;')).toBe('if (a <= b) return;');
  });

  test('refuses a text that is gone, or is there twice', () => {
    expect(() => plant(mutant, 'if (a > b) return;')).toThrow(RottenMutant);
    expect(() => plant(mutant, 'a < b || a < b')).toThrow(/occurs 2 times/);
  });

  test('takes the replacement as it is', () => {
    expect(plant({ ...mutant, replace: '$& $1' }, '(a < b)')).toBe('($& $1)');
  });
});
