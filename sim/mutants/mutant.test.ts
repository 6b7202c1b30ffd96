import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ALL_MUTANTS } from './all-mutants.ts';
import { type Mutant, plant, RottenMutant } from './mutant.ts';

const ROOT = join(import.meta.dirname, '../..');

describe('every mutant', () => {
  test.each(ALL_MUTANTS)('$name still fits the core', (mutant) => {
    const source = readFileSync(join(ROOT, mutant.file), 'utf8');
    expect(plant(mutant, source)).not.toBe(source);
    expect(mutant.file).toMatch(/^core\//);
    expect(mutant.story).toMatch(/\.$/);
    expect(mutant.expected.length).toBeGreaterThan(0);
  });

  test('has a name of its own', () => {
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
