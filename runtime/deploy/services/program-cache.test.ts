import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { installOnce, isInstalled } from './program-cache.ts';

let cache: string;
beforeEach(() => {
  cache = mkdtempSync(join(tmpdir(), 'parley-test-'));
  vi.stubEnv('PARLEY_CACHE', cache);
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(cache, { recursive: true, force: true });
});

test('many who ask at once install it once, and find all of it', async () => {
  let times = 0;
  const install = async (folder: string): Promise<void> => {
    times++;
    writeFileSync(join(folder, 'one'), '1');
    await new Promise((resolve) => setTimeout(resolve, 20));
    writeFileSync(join(folder, 'two'), '2');
  };
  const folders = await Promise.all([1, 2, 3].map(() => installOnce('tool-1.0', install)));
  expect(new Set(folders)).toEqual(new Set([join(cache, 'tool-1.0')]));
  expect(times).toBe(1);
  expect(readdirSync(join(cache, 'tool-1.0')).filter((name) => !name.startsWith('.'))).toEqual([
    'one',
    'two',
  ]);
});

test('one that failed leaves nothing and is begun again', async () => {
  const fails = async (folder: string): Promise<void> => {
    writeFileSync(join(folder, 'half'), '');
    await Promise.reject(new Error('no space'));
  };
  await expect(installOnce('tool-1.0', fails)).rejects.toThrow('no space');
  expect(isInstalled('tool-1.0')).toBe(false);
  const folder = await installOnce('tool-1.0', (into) => {
    writeFileSync(join(into, 'whole'), '');
    return Promise.resolve();
  });
  expect(existsSync(join(folder, 'half'))).toBe(false);
  expect(existsSync(join(folder, 'whole'))).toBe(true);
});
