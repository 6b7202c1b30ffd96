import { execFile } from 'node:child_process';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, test } from 'vitest';

/** `parley` as a shell sees it: what it prints, and with which code it ends. */

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** With a line on its standard input. */
function parley(...argv: string[]): Promise<Ended> {
  const main = fileURLToPath(new URL('../main.ts', import.meta.url));
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      ['--disable-warning=ExperimentalWarning', main, ...argv],
      { timeout: 15_000 },
      (error, stdout, stderr) => {
        resolve({ code: typeof error?.code === 'number' ? error.code : 0, stdout, stderr });
      },
    );
    // Who ends without reading it does not care.
    child.stdin?.on('error', () => undefined).end('hello\n');
  });
}

test('--help lists every command, and each command has its own', async () => {
  const { code, stdout } = await parley('--help');
  expect(code).toBe(0);
  for (const name of ['serve', 'chat', 'token', 'demo', 'bench', 'sim']) {
    expect(stdout).toContain(`  ${name}`);
    const own = await parley(name, '--help');
    expect(own.code, name).toBe(0);
    expect(own.stdout, name).toContain(`parley ${name}`);
  }
}, 30_000);

describe('a wrong command line ends with 1, names what is wrong, and says what to type', () => {
  test.each([
    [['launch'], 'there is no command "launch"'],
    [['serve', '--prot', '1'], "'--prot'"],
    [['serve', '--port', 'many'], '--port: "many" is not an integer from 0 to 65535'],
    [['serve', '--port', '70000'], '--port: "70000" is not an integer'],
    [['serve', 'now'], "'now'"],
    [['token'], 'token needs --user'],
    [['chat', '--as', 'alice'], 'chat needs --to'],
    [['bench', '--only', 'luck'], '--only: "luck" is none of core'],
    [['demo', '--users', '0'], '--users: "0" is not an integer from 2'],
  ])('%j', async (argv, message) => {
    const { code, stderr } = await parley(...argv);
    expect(code).toBe(1);
    expect(stderr).toContain(message);
    expect(stderr).toMatch(/Next: parley .*--help/);
  });
});

test('a server that does not answer is 69, and says how to start one', async () => {
  const { code, stderr } = await parley('token', '--user', 'alice', '--url', 'http://127.0.0.1:9');
  expect(code).toBe(69);
  expect(stderr).toContain('Next: make run');
});

describe('what cannot be used is named, and not called a defect', () => {
  /** A file: no folder can be in it. */
  const file = fileURLToPath(import.meta.url);

  test('a data folder', async () => {
    const { code, stderr } = await parley('serve', '--port', '0', '--data', join(file, 'data'));
    expect(code).toBe(2);
    expect(stderr).toContain(`${join(file, 'data')} cannot be used`);
  });

  test.runIf(process.platform === 'linux')('a data folder where nobody can make one', async () => {
    const { code, stderr } = await parley('serve', '--port', '0', '--data', '/proc/parley');
    expect(code).toBe(2);
    expect(stderr).toContain('/proc/parley cannot be used');
  });

  test('a folder for the outbox of a chat', async () => {
    const payload = Buffer.from(JSON.stringify({ sub: 'u_1', did: 'd_1' })).toString('base64url');
    const answer = { token: `x.${payload}.x`, userId: 'u_1', deviceId: 'd_1' };
    const url = await serving('application/json', JSON.stringify(answer));
    const { code, stderr } = await parley('chat', '--as', 'a', '--to', 'b', '--url', url, '--state', file);
    expect(code).toBe(2);
    expect(stderr).toContain(`--state: ENOTDIR: not a directory, mkdir '${file}`);
  });

  test('a server that is no Parley', async () => {
    const url = await serving('text/html', '<p>Log in to this network</p>');
    const { code, stderr } = await parley('token', '--user', 'alice', '--url', url);
    expect(code).toBe(69);
    expect(stderr).toContain(`no Parley answers: ${url} answers, but not as Parley does`);
  });

  test.each(['demo', 'load'])('a server for the %s that is away', async (name) => {
    const { code, stderr } = await parley(name, '--url', 'http://127.0.0.1:9');
    expect(code).toBe(69);
    expect(stderr).toContain('no Parley answers: http://127.0.0.1:9 cannot be reached');
  });
});

test('a pipe whose token the server takes no more ends, and says so', async () => {
  const payload = Buffer.from(JSON.stringify({ sub: 'u_1', did: 'd_1' })).toString('base64url');
  const chat = { chatId: 'c_9', head: 0, kind: 'direct', member: true, members: [], messages: [] };
  const answers = { token: `x.${payload}.x`, userId: 'u_1', deviceId: 'd_1', ...chat };
  const url = await serving('application/json', JSON.stringify(answers));
  server?.on('upgrade', (_request, socket) =>
    socket.end('HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\n\r\n'),
  );
  const argv = ['chat', '--as', 'a', '--chat', 'c_9', '--url', url, '--state', 'none'];
  const { code, stdout } = await parley(...argv);
  expect(code).toBe(2);
  expect(stdout).toContain('[the token was refused]');
});

let server: Server | undefined;
afterEach(() => server?.close());

/** @returns the address of a server that answers everything with that. */
async function serving(type: string, body: string): Promise<string> {
  const made = createServer((_, response) => response.setHeader('content-type', type).end(body));
  server = made;
  await new Promise<void>((resolve) => made.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(made.address() as AddressInfo).port}`;
}
