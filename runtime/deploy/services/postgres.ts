import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { POSTGRES_MAJOR, postgresBinaries } from '../../adapters/embedded-postgres/postgres-binaries.ts';
import {
  canReach,
  clusterUser,
  giveTo,
  initUser,
  type RunAs,
} from '../../adapters/embedded-postgres/unprivileged-user.ts';
import { canInstallDebianPackages, installDebianPackage } from './debian-package.ts';
import type { Engine, Program } from './engine.ts';
import { programVersion } from './program-version.ts';
import { runCommand } from './run-command.ts';

/** Debian's own, or the one of the embedded server, which npm has brought already. */
export type PostgresSource = 'debian' | 'embedded';
export const POSTGRES_SOURCES: readonly PostgresSource[] = ['debian', 'embedded'];

const DEBIAN = '/usr/lib/postgresql';
/** User and database of every shard. */
const NAME = 'parley';

const DEBIANS: Program = {
  name: "PostgreSQL (Debian's)",
  isInstalled: () => debianMajors().length > 0,
  alone: true,
  install: () => installDebianPackage('postgresql'),
};
const EMBEDDED: Program = {
  name: `PostgreSQL ${POSTGRES_MAJOR} (embedded)`,
  isInstalled: () => true,
  install: () => Promise.resolve(),
};

export function postgresUrl(port: number): string {
  return `postgres://${NAME}@127.0.0.1:${port}/${NAME}`;
}

/**
 * One PostgreSQL, durable as in production: fsync and synchronous commit are on. Whoever reaches loopback is let in.
 * @param source of a new one; what has data already keeps its version. Default: Debian's, where it can be had.
 */
export function postgresEngine(name: string, port: number, source: PostgresSource | undefined): Engine {
  const chosen = source ?? (DEBIANS.isInstalled() || canInstallDebianPackages() ? 'debian' : 'embedded');
  return {
    name,
    kind: 'postgres',
    program: chosen === 'debian' ? DEBIANS : EMBEDDED,
    port,
    async prepare(folder) {
      const data = join(folder, 'data');
      if (!existsSync(join(data, 'PG_VERSION'))) await initialise(folder, data, chosen);
      const runAs = clusterUser(data);
      const command = join(programsOf(data, runAs), 'postgres');
      const settings = {
        listen_addresses: '127.0.0.1',
        port: String(port),
        unix_socket_directories: '',
        max_connections: '300',
        shared_buffers: '128MB',
      };
      const args = Object.entries(settings).flatMap(([key, value]) => ['-c', `${key}=${value}`]);
      return { command, args: ['-D', data, ...args], runAs, version: await programVersion(command) };
    },
    answers: () => query(port, 'SELECT 1').then(Boolean, () => false),
    async furnish() {
      const found = await query(port, `SELECT 1 FROM pg_database WHERE datname = '${NAME}'`);
      if (found.length === 0) await query(port, `CREATE DATABASE ${NAME}`);
    },
  };
}

/** Made aside and moved in place, so that an initdb cut short leaves no half of a cluster. */
async function initialise(folder: string, data: string, source: PostgresSource): Promise<void> {
  const runAs = initUser();
  if (runAs !== undefined && !canReach(folder, runAs))
    throw new Error(`PostgreSQL does not run as root, and user ${runAs.uid} may not enter ${folder}`);
  const unfinished = `${data}.new`;
  rmSync(unfinished, { recursive: true, force: true });
  mkdirSync(unfinished, { recursive: true, mode: 0o700 });
  if (runAs !== undefined) giveTo(unfinished, runAs);
  const major = debianMajors()[0];
  const programs =
    source === 'debian' && major !== undefined ? debianPrograms(major) : embeddedPrograms(runAs);
  const how = ['--auth=trust', '--encoding=UTF8', '--locale=C', `--username=${NAME}`];
  await runCommand(join(programs, 'initdb'), ['-D', unfinished, ...how], { cwd: folder, runAs });
  const owner = clusterUser(undefined);
  if (owner !== undefined) giveTo(unfinished, owner);
  chmodSync(unfinished, 0o700);
  renameSync(unfinished, data);
}

/** @throws Error when the programs that wrote the data are not on this machine any more. */
function programsOf(data: string, runAs: RunAs | undefined): string {
  const major = readFileSync(join(data, 'PG_VERSION'), 'utf8').trim();
  if (debianMajors().includes(major)) return debianPrograms(major);
  if (major === POSTGRES_MAJOR) return embeddedPrograms(runAs);
  throw new Error(
    `${data} was written by PostgreSQL ${major}, which is not installed. Next: install it, or use another folder`,
  );
}

function embeddedPrograms(runAs: RunAs | undefined): string {
  return join(postgresBinaries(runAs).postgres, '..');
}

function debianPrograms(major: string): string {
  return join(DEBIAN, major, 'bin');
}

/** Newest first. */
function debianMajors(): readonly string[] {
  if (!existsSync(DEBIAN)) return [];
  return readdirSync(DEBIAN)
    .filter((major) => existsSync(join(debianPrograms(major), 'postgres')))
    .sort((a, b) => Number(b) - Number(a));
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
