import { type ChildProcess, spawn } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { DataFolderInUseError } from './data-folder-lock.ts';
import { type EmbeddedPostgres, startEmbeddedPostgres } from './embedded-postgres.ts';
import { exists } from './process-identity.ts';

const log = pino({ level: 'silent' });
const asRoot = process.getuid?.() === 0;
const program = fileURLToPath(new URL('testing/embedded-server.ts', import.meta.url));

/** Nobody but its owner may enter it, as /root. */
let root: string;
/** Set up once: making a cluster takes a second. Every test leaves it stopped. */
let dataDir: string;

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'parley-test-'));
  chmodSync(root, 0o700);
  dataDir = join(root, 'data');
  const postgres = await start();
  await sql(postgres.connectionString, 'CREATE TABLE kept (value int)');
  await postgres.stop();
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

function start(dir = dataDir): Promise<EmbeddedPostgres> {
  return startEmbeddedPostgres({ dataDir: dir, log });
}

async function sql(connectionString: string, text: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString });
  client.on('error', () => {});
  await client.connect();
  try {
    const { rows } = await client.query<unknown[]>({ text, rowMode: 'array' });
    return rows.flat();
  } finally {
    await client.end();
  }
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  for (let i = 0; i < 500; i++) {
    if (await condition()) return;
    await delay(10);
  }
  throw new Error('waited 5 s in vain');
}

interface Server {
  readonly process: ChildProcess;
  readonly pid: number;
  readonly connectionString: string;
  readonly gone: Promise<unknown>;
}

/** A server in a process group of its own, like one started from a terminal. */
async function startServer(): Promise<Server> {
  const child = spawn(process.execPath, [program, dataDir], {
    detached: true,
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  const gone = new Promise((resolve) => child.once('exit', resolve));
  const line = await new Promise<string>((resolve, reject) => {
    child.stdout.once('data', (bytes: Buffer) => resolve(bytes.toString()));
    child.once('exit', () => reject(new Error('the server did not start')));
  });
  const { pid, connectionString } = JSON.parse(line) as { pid: number; connectionString: string };
  return { process: child, pid, connectionString, gone };
}

test('runs durable, on a socket alone, under an unprivileged user, in a folder that only root may enter', async () => {
  const postgres = await start();
  const settings =
    "SELECT name || '=' || setting FROM pg_settings WHERE name IN ('fsync', 'full_page_writes', 'synchronous_commit', 'listen_addresses') ORDER BY 1";
  expect(await sql(postgres.connectionString, settings)).toEqual([
    'fsync=on',
    'full_page_writes=on',
    'listen_addresses=',
    'synchronous_commit=on',
  ]);
  const owner = statSync(join(dataDir, 'postgres'));
  expect(owner.mode & 0o077).toBe(0);
  if (asRoot) expect(owner.uid).not.toBe(0);
  if (process.platform === 'linux') {
    expect(readFileSync(`/proc/${postgres.pid()}/status`, 'utf8')).toMatch(
      new RegExp(`^Uid:\\t${owner.uid}\\t`, 'm'),
    );
  }
  await postgres.stop();
  await postgres.stop();
  expect(existsSync(join(dataDir, 'postgres', 'postmaster.pid'))).toBe(false);
});

test('a second server on the folder is told which process has it', async () => {
  const postgres = await start();
  const failure = start();
  await expect(failure).rejects.toThrow(DataFolderInUseError);
  await expect(failure).rejects.toThrow(`process ${process.pid}`);
  await postgres.stop();
  await (await start()).stop();
});

test('a PostgreSQL that dies comes back with everything that was committed', async () => {
  const postgres = await start();
  await sql(postgres.connectionString, 'INSERT INTO kept VALUES (1)');
  const before = postgres.pid();
  process.kill(before, 'SIGKILL');
  await until(() => postgres.pid() !== before);
  expect(await sql(postgres.connectionString, 'SELECT count(*)::int FROM kept WHERE value = 1')).toEqual([1]);
  await postgres.stop();
});

test('a server killed with -9 leaves its PostgreSQL running, and the next one takes over without loss', async () => {
  const server = await startServer();
  await sql(server.connectionString, 'INSERT INTO kept VALUES (2)');
  server.process.kill('SIGKILL');
  await server.gone;
  expect(exists(server.pid)).toBe(true);
  const postgres = await start();
  expect(exists(server.pid)).toBe(false);
  expect(await sql(postgres.connectionString, 'SELECT count(*)::int FROM kept WHERE value = 2')).toEqual([1]);
  await postgres.stop();
});

test('server and PostgreSQL killed together come back without loss', async () => {
  const server = await startServer();
  await sql(server.connectionString, 'INSERT INTO kept VALUES (3)');
  server.process.kill('SIGKILL');
  process.kill(server.pid, 'SIGKILL');
  await server.gone;
  const postgres = await start();
  expect(await sql(postgres.connectionString, 'SELECT count(*)::int FROM kept WHERE value = 3')).toEqual([1]);
  await postgres.stop();
});

test('a Ctrl-C in the terminal of the server does not reach PostgreSQL', async () => {
  const server = await startServer();
  process.kill(-(server.process.pid ?? 0), 'SIGINT');
  await delay(100);
  expect(await sql(server.connectionString, 'SELECT 1')).toEqual([1]);
  server.process.kill('SIGKILL');
  await server.gone;
  await (await start()).stop();
});

test('a server that ends by an exception takes its PostgreSQL along', async () => {
  const server = await startServer();
  server.process.stdin?.write('x');
  await server.gone;
  await until(() => !exists(server.pid));
});

test('a pid file of another life, whose number now belongs to a stranger, does not keep PostgreSQL from starting', async () => {
  // Of the cluster's own user: PostgreSQL ignores what it may not even signal.
  const { uid, gid } = statSync(join(dataDir, 'postgres'));
  const stranger = spawn('sleep', ['60'], { uid, gid, stdio: 'ignore' });
  const file = join(dataDir, 'postgres', 'postmaster.pid');
  writeFileSync(file, `${stranger.pid}\n${dataDir}\n1\n5432\n.\n\n`);
  const postgres = await start();
  expect(exists(stranger.pid ?? 0)).toBe(true);
  stranger.kill();
  await postgres.stop();
});

test('a folder whose path is too long for a socket works', async () => {
  const long = join(root, 'x'.repeat(120), 'data');
  const postgres = await start(long);
  expect(await sql(postgres.connectionString, 'SELECT 1')).toEqual([1]);
  await postgres.stop();
});

test('data of another version, and a folder of something else, are refused with the next step', async () => {
  const other = join(root, 'other');
  mkdirSync(join(other, 'postgres'), { recursive: true });
  await expect(start(other)).rejects.toThrow(/holds no PostgreSQL data\. Next: /);
  writeFileSync(join(other, 'postgres', 'PG_VERSION'), '17\n');
  await expect(start(other)).rejects.toThrow(/written by PostgreSQL 17, this is 18\. Next: /);
});
