import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '../..');

/** A pause of somebody's own making is the one that was forgotten when herds were looked for. */
test('pauses between attempts are drawn in this folder alone', () => {
  const files = globSync('runtime/**/*.ts', { cwd: ROOT }).filter(
    (file) => !/\.test\.ts$|\/(?:testing|client|e2e)\//.test(file),
  );
  const having = (text: string): string[] =>
    files.filter((file) => readFileSync(join(ROOT, file), 'utf8').includes(text));
  expect(having('Math.random()')).toEqual([]);
  expect(having('contract/backoff.ts')).toEqual(['runtime/resilience/full-jitter.ts']);
});
