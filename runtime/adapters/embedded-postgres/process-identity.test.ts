import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { portIsOpen } from '../../deploy/services/port-answer.ts';
import { exists, identityOf, isRunning } from './process-identity.ts';

const LISTEN = `const server = require('node:net').createServer().listen(0, '127.0.0.1', () => console.log(server.address().port));`;

test('who is gone has left its port, also one with threads that was killed', { retry: 0 }, async () => {
  for (let n = 0; n < 20; n++) {
    const child = spawn(process.execPath, ['-e', LISTEN], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [line] = (await once(child.stdout, 'data')) as [Buffer];
    const identity = identityOf(child.pid ?? 0);
    expect(isRunning(identity)).toBe(true);
    process.kill(identity.pid, 'SIGKILL');
    while (isRunning(identity)) await Promise.resolve();
    expect(await portIsOpen(Number(line.toString()))).toBe(false);
  }
});

test('a pid that was given to another process is not who had it', () => {
  const own = identityOf(process.pid);
  expect(isRunning({ ...own, started: '1' })).toBe(false);
  expect(exists(process.pid)).toBe(true);
  expect(exists(2 ** 22 + 1)).toBe(false);
});
