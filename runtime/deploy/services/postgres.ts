import { chownSync, existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { isRoot } from '../../adapters/embedded-postgres/unprivileged-user.ts';
import { installDebianPackage } from './debian-package.ts';
import type { Engine } from './engine.ts';
import { runCommand } from './run-command.ts';

const VERSIONS = '/usr/lib/postgresql';
/** User and database of every shard. */
const NAME = 'parley';

export async function installPostgres(): Promise<void> {
  if (programs() === undefined) await installDebianPackage('postgresql');
}

/** @returns the folder of the newest version's programs. */
function programs(): string | undefined {
  if (!existsSync(VERSIONS)) return undefined;
  const versions = readdirSync(VERSIONS).filter((version) =>
    existsSync(join(VERSIONS, version, 'bin', 'postgres')),
  );
  const newest = versions.sort((a, b) => Number(b) - Number(a))[0];
  return newest === undefined ? undefined : join(VERSIONS, newest, 'bin');
}

export function postgresUrl(port: number): string {
  return `postgres://${NAME}@127.0.0.1:${port}/${NAME}`;
}

/** One PostgreSQL, durable as in production: fsync and synchronous commit are on. */
export function postgresEngine(name: string, port: number): Engine {
  return {
    name,
    kind: 'postgres',
    port,
    version: "Debian's",
    async prepare(folder) {
      const bin = programs();
      if (bin === undefined) throw new Error('PostgreSQL is not installed');
      const runAs = isRoot() ? userNamed('postgres') : undefined;
      const data = join(folder, 'data');
      if (!existsSync(join(data, 'PG_VERSION'))) {
        mkdirSync(data, { recursive: true, mode: 0o700 });
        if (runAs !== undefined) for (const path of [folder, data]) chownSync(path, runAs.uid, runAs.gid);
        const how = ['--auth=trust', '--encoding=UTF8', '--locale=C', `--username=${NAME}`];
        await runCommand(join(bin, 'initdb'), ['-D', data, ...how], { cwd: folder, runAs });
      }
      const settings = {
        listen_addresses: '127.0.0.1',
        port: String(port),
        unix_socket_directories: '',
        max_connections: '300',
        shared_buffers: '128MB',
        // A cluster on one machine commits from many processes; what waits this long shares a flush.
        commit_delay: '0',
      };
      const args = Object.entries(settings).flatMap(([key, value]) => ['-c', `${key}=${value}`]);
      return {
        command: join(bin, 'postgres'),
        args: ['-D', data, ...args],
        ...(runAs === undefined ? {} : { runAs }),
      };
    },
    answers: () => query(port, 'SELECT 1').then(Boolean, () => false),
    async furnish() {
      const found = await query(port, `SELECT 1 FROM pg_database WHERE datname = '${NAME}'`);
      if (found.length === 0) await query(port, `CREATE DATABASE ${NAME}`);
    },
  };
}

async function query(port: number, text: string): Promise<readonly unknown[]> {
  const client = new pg.Client({
    host: '127.0.0.1',
    port,
    user: NAME,
    database: 'postgres',
    connectionTimeoutMillis: 1_000,
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return (await client.query(text)).rows as readonly unknown[];
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** @throws Error when there is no such user. */
function userNamed(name: string): { readonly uid: number; readonly gid: number } {
  for (const line of readFileSync('/etc/passwd', 'utf8').split('\n')) {
    const [user, , uid, gid] = line.split(':');
    if (user === name) return { uid: Number(uid), gid: Number(gid) };
  }
  throw new Error(`/etc/passwd has no user ${name}, which Debian's PostgreSQL brings`);
}
