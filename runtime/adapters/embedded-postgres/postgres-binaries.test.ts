import { chmodSync, chownSync, cpSync, mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { spawnSync } from 'node:child_process';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { postgresBinaries } from './postgres-binaries.ts';
import { canReach } from './unprivileged-user.ts';

const someone = { uid: 64_310, gid: 64_310 };
let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'parley-test-'));
  chmodSync(dir, 0o755);
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

test('a folder is reached only through folders that may be entered', () => {
  mkdirSync(join(dir, 'a', 'b'), { recursive: true });
  expect(canReach(join(dir, 'a', 'b'), someone)).toBe(true);
  chmodSync(join(dir, 'a'), 0o700);
  expect(canReach(join(dir, 'a', 'b'), someone)).toBe(false);
});

test.runIf(process.getuid?.() === 0)(
  'programs that a user cannot reach are copied to where he can run them',
  () => {
    const hidden = join(dir, 'hidden');
    const installed = join(dirname(postgresBinaries(undefined).postgres), '..');
    cpSync(installed, join(hidden, 'native'), { recursive: true, verbatimSymlinks: true });
    cpSync(join(installed, '..', 'package.json'), join(hidden, 'package.json'));
    chmodSync(hidden, 0o700);
    const native = join(hidden, 'native');
    const theirs = join(dir, 'theirs');
    mkdirSync(theirs);
    chownSync(theirs, someone.uid, someone.gid); // a cache that somebody else owns is passed over
    const { postgres } = postgresBinaries(someone, { native, caches: [theirs, join(dir, 'cache')] });
    expect(postgres.startsWith(join(dir, 'cache'))).toBe(true);
    const ran = spawnSync(postgres, ['--version'], { ...someone, encoding: 'utf8' });
    expect(ran.stdout).toMatch(/^postgres \(PostgreSQL\) 18/);
    const before = statSync(postgres).ino;
    expect(statSync(postgresBinaries(someone, { native, caches: [join(dir, 'cache')] }).postgres).ino).toBe(
      before,
    );
  },
);
