import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { DataFolderInUseError, lockDataFolder } from './data-folder-lock.ts';
import { ownIdentity } from './process-identity.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'parley-test-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

test('one holder at a time; a released lock leaves nothing', () => {
  const lock = lockDataFolder(dir);
  expect(() => lockDataFolder(dir)).toThrow(DataFolderInUseError);
  lock.release();
  expect(readdirSync(dir)).toEqual([]);
  lockDataFolder(dir).release();
});

test('the lock of a process that is gone is taken over, also when its pid belongs to another process now', () => {
  writeFileSync(join(dir, 'server.lock.4'), JSON.stringify({ pid: 2 ** 22 + 1 }));
  lockDataFolder(dir).release();
  writeFileSync(join(dir, 'server.lock.7'), JSON.stringify({ ...ownIdentity(), started: 'another time' }));
  const lock = lockDataFolder(dir);
  expect(readdirSync(dir)).toEqual(['server.lock.8']);
  lock.release();
});

test('a lock file torn by a power failure is nobody’s', () => {
  writeFileSync(join(dir, 'server.lock.1'), '{"pi');
  lockDataFolder(dir).release();
});

test('the highest number counts, whatever lower ones say', () => {
  writeFileSync(join(dir, 'server.lock.1'), JSON.stringify({ pid: 2 ** 22 + 1 }));
  writeFileSync(join(dir, 'server.lock.2'), JSON.stringify(ownIdentity()));
  expect(() => lockDataFolder(dir)).toThrow(`process ${process.pid}`);
});
