import { execFile, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { MUTANT_VARIABLE } from './mutant-variable.ts';
import { simCommand } from './sim.ts';

const ROOT = join(import.meta.dirname, '../..');
const REGRESSIONS = join(ROOT, 'sim/regressions');
const MUTANT_HOOKS = join(import.meta.dirname, 'mutant-hooks.ts');
let folder = '';

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'parley-sim-'));
});
afterEach(() => void vi.restoreAllMocks());
afterAll(() => rmSync(folder, { recursive: true }));

interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** `parley sim …` as a process, in a folder of its own; with `mutant`, in a core that has that bug. */
function sim(args: readonly string[], mutant?: string, hooks: string = MUTANT_HOOKS): Promise<Outcome> {
  const planted = mutant === undefined ? [] : ['--import', pathToFileURL(hooks).href];
  const argv = [
    '--disable-warning=ExperimentalWarning',
    ...planted,
    join(ROOT, 'runtime/main.ts'),
    'sim',
    ...args,
  ];
  const env = { ...process.env, [MUTANT_VARIABLE]: mutant };
  return new Promise((resolve) => {
    execFile(process.execPath, argv, { cwd: folder, env }, (error, out, err) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : -1;
      resolve({ code, out, err });
    });
  });
}

describe('parley sim: exit codes', { timeout: 60_000 }, () => {
  it.for([
    [[]],
    [['dance']],
    [['run', '--sedes', '3']],
    [['run', '--seeds', '0']],
    [['run', '--from', 'xyz']],
    [['run', '--require-probes', 'some']],
    [['replay']],
    [['replay', 'no-such-file.json']],
    [['shrink', '1', '2']],
    [['mutants', '--only', 'no such mutant']],
  ])('1 for %j, and says what would be right', async ([args]) => {
    const said: unknown[] = [];
    vi.spyOn(console, 'log').mockImplementation((line) => void said.push(line));
    vi.spyOn(console, 'error').mockImplementation((line) => void said.push(line));
    expect(await simCommand(args ?? [])).toBe(1);
    expect(said.join('\n')).toMatch(/parley sim .*--help/);
  });

  it('1 for a file that is no scenario, naming the fields', async () => {
    writeFileSync(join(folder, 'bad.json'), '{"version": 2, "seed": -1}');
    const { code, err } = await sim(['replay', 'bad.json']);
    expect(code).toBe(1);
    expect(err).toContain('version: must be 1, is 2');
    expect(err).toContain('seed: must be an integer from 0 to 4294967295, is -1');
  });

  it('0 when every run passes', async () => {
    const run = await sim(['run', '--seeds', '40', '--from', '1', '--jobs', '2', '--json']);
    expect(run.code, run.err).toBe(0);
    expect(JSON.parse(run.out)).toMatchObject({ exitCode: 0, from: 1, runs: 40, failed: 0 });
    const replay = await sim(['replay', join(REGRESSIONS, 'clocks-disagree.json'), '--twice']);
    expect(replay.code).toBe(0);
    expect(replay.out).toContain('✓ pass: every promise held');
    expect(replay.out).toContain('the second run is the same, event for event');
    expect((await sim(['shrink', '7'])).out).toContain('there is nothing to shrink');
  });

  it('10 for a broken promise of safety: found, shrunk, saved, and replayed from the file', async () => {
    const run = await sim(
      ['run', '--seeds', '64', '--from', '1', '--shrink', '4', '--until-failure'],
      'ack-before-append',
    );
    expect(run.code, run.err).toBe(10);
    expect(run.out).toMatch(/seeds failed, in (1 group|(?!1 )\d+ groups)\n/);
    const replay = /replay {6}\.\/parley sim replay (\S+)/.exec(run.out)?.[1] ?? '';
    expect(readdirSync(join(folder, 'failures'))).toContain(replay.replace('failures/', ''));
    const again = await sim(['replay', replay, '--quiet'], 'ack-before-append');
    expect(again.code).toBe(10);
    expect(again.out).toMatch(/✗ safety: no-acked-message-lost[^]*as when it was saved/);
    expect((await sim(['replay', replay, '--quiet'])).code).toBe(0);
  });

  it('says of a failure that a test of one’s own has judged why its run is another one', async () => {
    const file = JSON.parse(readFileSync(join(REGRESSIONS, 'clocks-disagree.json'), 'utf8')) as object;
    const replayed = async (failed: string): Promise<string> => {
      const saved = { ...file, failed, hash: '0123456789abcdef' };
      writeFileSync(join(folder, 'saved.json'), JSON.stringify(saved));
      return (await sim(['replay', 'saved.json', '--quiet'])).out;
    };
    expect(await replayed('safety own: few messages')).toContain('judged by the promises of Parley alone');
    expect(await replayed('safety order-per-chat')).toContain('the code has changed');
  });

  it('ends with its workers, and without a word of theirs, when it is interrupted', async () => {
    const argv = [join(ROOT, 'runtime/main.ts'), 'sim', 'run', '--seeds', '100000', '--from', '1'];
    const run = spawn(process.execPath, argv, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
    let err = '';
    run.stderr.setEncoding('utf8').on('data', (text: string) => (err += text));
    // Its workers are in the midst of their seeds by then.
    run.stdout.once('data', () => setTimeout(() => run.kill('SIGINT'), 2_000));
    // Not before the workers have let go of it, too.
    await new Promise((resolve) => run.once('close', resolve));
    expect(run.signalCode).toBe('SIGINT');
    expect(err).not.toContain('Error');
  });

  it('11 for a broken promise of liveness, and shrink ends with it too', async () => {
    const file = join(REGRESSIONS, 'registry-loses-writes-in-a-failover.json');
    expect((await sim(['replay', file, '--quiet'], 'registry-loss-not-noticed')).code).toBe(11);
    const shrink = await sim(['shrink', file, '--seconds', '3', '--json'], 'registry-loss-not-noticed');
    expect(shrink.code).toBe(11);
    expect(JSON.parse(shrink.out)).toMatchObject({ verdict: 'liveness', cause: 'no-acked-message-lost' });
  });

  it.for([
    // Another order of events.
    [
      'core/contract/random.ts',
      /export function keyedInt[^]*?\{/,
      '$& key += globalThis.calls++ % 97 === 0 ? 1 : 0;',
    ],
    // The same events; what is in them is not the same, and nobody decides anything by it.
    ['core/sequencing/sequencer.ts', /sentAt: \w+/, '$& + (globalThis.calls++ % 97 === 0 ? 1 : 0)'],
  ] as const)('12 when a run is not the same the second time: %s', async ([file, find, replace]) => {
    const hooks = join(folder, 'dice.mjs');
    writeFileSync(
      hooks,
      `import { registerHooks } from 'node:module';
      globalThis.calls = 0;
      registerHooks({ load(url, context, next) {
        const loaded = next(url, context);
        if (!url.endsWith(${JSON.stringify(file)})) return loaded;
        const source = String(loaded.source).replace(${String(find)}, ${JSON.stringify(replace)});
        if (source === String(loaded.source)) throw new Error('nothing was planted');
        return { ...loaded, source };
      } });`,
    );
    const run = await sim(
      ['run', '--seeds', '4', '--from', '1', '--jobs', '1', '--twice', '--shrink', '0'],
      'dice',
      hooks,
    );
    expect(run.code, run.err).toBe(12);
    expect(run.out).toMatch(/✗ nondeterminism: seed \d+ runs differently the second time, from event \d+ on/);
  });

  it('13 when a machine throws', async () => {
    const run = await sim(
      ['run', '--seeds', '20', '--from', '1', '--shrink', '2', '--until-failure'],
      'batch-shares-a-seq',
    );
    expect(run.code, run.err).toBe(13);
    expect(run.out).toContain('it threw: ');
  });

  it('15 when a probe was never reached', async () => {
    const run = await sim(['run', '--seeds', '1', '--from', '1', '--jobs', '1', '--require-probes=ci']);
    expect(run.code).toBe(15);
    expect(run.out).toMatch(/✗ no run reached the probe \S+/);
  });

  it('16 when a planted bug survives, 0 when all are found', async () => {
    const only = ['mutants', '--only', 'unknown-taken-for-ok', '--from', '1', '--shrink', '1'];
    expect((await sim([...only, '--seeds', '1'])).code).toBe(16);
    expect((await sim([...only, '--seeds', '2000'])).code).toBe(0);
  });
});
