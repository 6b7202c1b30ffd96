import { execFile, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

/** `parley` as a shell sees it: what it prints, and with which code it ends. */

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

const main = fileURLToPath(new URL('../main.ts', import.meta.url));

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'parley-command-line-'))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** With a line on its standard input. */
function parley(...argv: string[]): Promise<Ended> {
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
    [['serve', '--port', '-1'], "'--port' needs a value"],
    [['serve', 'now'], "'now'"],
    [['help', 'launch'], 'there is no command "launch"'],
    [['chat', '--as', 'alice', '--to', 'bob', '--chat', 'c_1'], '--chat or --to: not both'],
    [['chat', '--as', 'alice', '--to', 'bob', '--url', 'here'], '--url: "here" is not a URL'],
    [['token', '--user', 'alice', '--url', 'ftp://here'], '--url: "ftp://here" is not a URL'],
    [['doctor', '--timeout', 'long'], '--timeout: "long" is not an integer'],
    [['load', '--only', 'luck'], '--only: "luck" is none of sends'],
    [['config'], 'config needs print or schema'],
    [['cluster'], 'cluster needs up, status or down'],
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

test('--version is that of the release', async () => {
  expect(await parley('--version')).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) as string,
  });
});

test('an address that no machine has is a wrong command line', async () => {
  const { code, stderr } = await parley('serve', '--host', 'no-such-host.invalid', '--data', folder);
  expect(code).toBe(1);
  expect(stderr).toContain('no-such-host.invalid is no address of this machine; localhost is one');
});

describe('what the file system refuses is no defect, and is named', () => {
  test.each([
    [(file: string) => ['serve', '--port', '0', '--data', file]],
    [(file: string) => ['serve', '--port', '0', '--data', join(file, 'data')]],
    [(file: string) => ['serve', '--port', '0', '--data', join(folder, 'data'), '--record', file]],
    [(file: string) => ['certificates', '--folder', file, '--nodes', 'gateway/gateway-1']],
  ])('%#', async (argv) => {
    const file = join(folder, 'file');
    writeFileSync(file, 'not a folder');
    const { code, stderr } = await parley(...argv(file));
    expect(code).toBe(2);
    expect(stderr).toContain(`parley: ${file}`);
    expect(stderr).toContain(': there is a file where a folder should be\nNext: ');
  });
});

test('a demonstration that is interrupted takes its server and its data along', async () => {
  const child = spawn(process.execPath, [main, 'demo', '--users', '2', '--no-kill'], {
    env: { ...process.env, TMPDIR: folder },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve));
  for await (const text of child.stdout.setEncoding('utf8') as AsyncIterable<string>)
    if (text.includes('users on real sockets')) child.kill('SIGINT');
  expect(await exited).toBe(130);
  expect(readdirSync(folder)).toEqual([]);
}, 60_000);

test.each([
  ['token', '--user', 'alice', '--url', 'http://127.0.0.1:9'],
  ['demo', '--url', 'http://127.0.0.1:9'],
  ['load', '--only', 'sends', '--url', 'http://127.0.0.1:9'],
])('a server that does not answer is 69, and says how to start one: %s', async (...argv) => {
  const { code, stderr } = await parley(...argv);
  expect(code).toBe(69);
  expect(stderr).toContain('Next: make run');
});

test.runIf(process.platform === 'linux')(
  'a data folder where nobody can make one is 2, at once',
  async () => {
    const { code, stderr } = await parley('serve', '--port', '0', '--data', '/proc/parley');
    expect(code).toBe(2);
    expect(stderr).toContain('/proc/parley cannot be made');
  },
);

test('a folder that the outbox of a chat cannot be in is 2, and named', async () => {
  const file = join(folder, 'file');
  writeFileSync(file, 'not a folder');
  const payload = Buffer.from(JSON.stringify({ sub: 'u_1', did: 'd_1' })).toString('base64url');
  const answer = { token: `x.${payload}.x`, userId: 'u_1', deviceId: 'd_1' };
  const url = await serving('application/json', JSON.stringify(answer));
  const { code, stderr } = await parley('chat', '--as', 'a', '--to', 'b', '--url', url, '--state', file);
  expect(code).toBe(2);
  expect(stderr).toMatch(/file.*: there is a file where a folder should be/);
});

test('a server that is no Parley is 69', async () => {
  const url = await serving('text/html', '<p>Log in to this network</p>');
  const { code, stderr } = await parley('token', '--user', 'alice', '--url', url);
  expect(code).toBe(69);
  expect(stderr).toContain(`no Parley answers: ${url} answers, but not as Parley does`);
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
