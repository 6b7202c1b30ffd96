import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { startRedisServer } from './redis-server.ts';

/** What a person is told when a test's Redis cannot be had: "install it" helps only where it is not installed. */

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'parley-no-redis-'));
});
afterEach(() => vi.unstubAllEnvs());
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function programThat(script: string): string {
  const path = join(folder, 'redis-server');
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
  return path;
}

test('a program that is not there is to be installed', async () => {
  vi.stubEnv('PARLEY_REDIS_SERVER', join(folder, 'nowhere'));
  await expect(startRedisServer()).rejects.toThrow(/nowhere cannot be started: install it, or set/);
});

test('a program that ends is told with its code and what it said, on either stream', async () => {
  vi.stubEnv('PARLEY_REDIS_SERVER', programThat('echo "bad directive"; echo "at line 3" >&2; exit 7'));
  await expect(startRedisServer()).rejects.toThrow(/ended with 7:\n(?=.*bad directive)(?=.*at line 3)/s);
});

test('a port that was lost is answered with another one', async () => {
  const seen = join(folder, 'ports');
  const script = `echo "$2" >> ${seen}; echo "Failed listening on port $2 (tcp), Address already in use" >&2; exit 1`;
  vi.stubEnv('PARLEY_REDIS_SERVER', programThat(script));
  await expect(startRedisServer()).rejects.toThrow('already in use');
  const ports = readFileSync(seen, 'utf8').trim().split('\n');
  expect(ports.length).toBeGreaterThan(1);
  expect(new Set(ports).size).toBe(ports.length);
});
