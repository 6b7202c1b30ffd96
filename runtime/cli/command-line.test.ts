import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

/** `parley` as a shell sees it: what it prints, and with which code it ends. */

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function parley(...argv: string[]): Promise<Ended> {
  const main = fileURLToPath(new URL('../main.ts', import.meta.url));
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      ['--disable-warning=ExperimentalWarning', main, ...argv],
      (error, stdout, stderr) => {
        resolve({ code: typeof error?.code === 'number' ? error.code : 0, stdout, stderr });
      },
    );
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
