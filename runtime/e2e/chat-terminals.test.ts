import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestServer, type TestServer } from './test-server.ts';

/** Two `parley chat` processes, fed from pipes. */

let server: TestServer;
let state: string;
const terminals: Terminal[] = [];
beforeAll(async () => {
  state = mkdtempSync(join(tmpdir(), 'parley-chat-'));
  server = await startTestServer();
});
afterAll(async () => {
  for (const { process } of terminals) process.kill('SIGKILL');
  await server.stop();
  rmSync(state, { recursive: true, force: true });
});

interface Terminal {
  readonly process: ChildProcessWithoutNullStreams;
  type(line: string): void;
  output(): string;
  /** Waits until a line that contains this was printed. */
  shows(text: string): Promise<void>;
  readonly ended: Promise<number | null>;
}

function chat(...argv: string[]): Terminal {
  const main = fileURLToPath(new URL('../main.ts', import.meta.url));
  const process_ = spawn(process.execPath, [main, 'chat', '--url', server.url, '--state', state, ...argv]);
  let output = '';
  for (const stream of [process_.stdout, process_.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  const terminal: Terminal = {
    process: process_,
    type: (line) => void process_.stdin.write(`${line}\n`),
    output: () => output,
    shows: (text) => expect.poll(() => output, { timeout: 10_000 }).toContain(text),
    ended: new Promise((resolve) => process_.once('exit', resolve)),
  };
  terminals.push(terminal);
  return terminal;
}

test('two terminals talk, with ticks, and a pipe ends by itself', async () => {
  const alice = chat('--as', 'alice', '--to', 'bob');
  const bob = chat('--as', 'bob', '--to', 'alice');
  await Promise.all([alice.shows('[connected]'), bob.shows('[connected]')]);
  alice.type('hello bob');
  await bob.shows('alice: hello bob');
  await alice.shows('hello bob   ✓✓ read');
  bob.type('hello alice');
  await alice.shows('bob: hello alice');
  alice.process.stdin.end();
  bob.process.stdin.end();
  expect(await Promise.all([alice.ended, bob.ended])).toEqual([0, 0]);

  // A device that comes back shows where it was.
  const again = chat('--as', 'bob', '--to', 'alice');
  await again.shows('alice: hello bob');
  again.process.stdin.end();
  expect(await again.ended).toBe(0);
});

test('a file is sent from one terminal and kept by the other', async () => {
  const [from, to] = [join(state, 'notes.txt'), join(state, 'kept.txt')];
  writeFileSync(from, 'grüße\n'.repeat(1_000));
  const erin = chat('--as', 'erin', '--to', 'frank');
  const frank = chat('--as', 'frank', '--to', 'erin');
  await Promise.all([erin.shows('[connected]'), frank.shows('[connected]')]);
  erin.type(`/send-file ${from}`);
  await frank.shows('erin: [file notes.txt, 7.8 KB, x_');
  const id = /x_\d+/.exec(frank.output())?.[0] ?? '';
  frank.type(`/save ${id} ${to}`);
  await frank.shows(`saved ${to}, 7.8 KB`);
  expect(readFileSync(to, 'utf8')).toBe(readFileSync(from, 'utf8'));
  // Nothing is overwritten, and what does not exist is said.
  frank.type(`/save ${id} ${to}`);
  await frank.shows(`${to}: there is a file of this name; give another`);
  frank.type(`/save ${id}`);
  await frank.shows('/save takes an id and a path');
  erin.type(`/send-file ${join(state, 'nothing')}`);
  await erin.shows(`${join(state, 'nothing')}: there is no such file`);
  erin.type(`/send-file ${state}`);
  await erin.shows(`${state}: is not a file`);
  erin.process.stdin.end();
  frank.process.stdin.end();
  expect([await erin.ended, await frank.ended]).toEqual([2, 2]);
});

test('the same device in a second terminal is told to use another name', async () => {
  // What a terminal remembers belongs to one server, so all of these go to the same gateway.
  const carol = ['--as', 'carol', '--to', 'dave', '--url', server.url];
  const first = chat(...carol);
  await first.shows('[connected]');
  const second = chat(...carol);
  await second.shows('is open in another terminal');
  expect(await second.ended).toBe(2);
  const other = chat(...carol, '--device', 'laptop');
  await other.shows('[connected]');
});
