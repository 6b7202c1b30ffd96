import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { POSTGRES_MAJOR, postgresBinaries } from './postgres-binaries.ts';
import { clusterUser, giveTo, initUser, isRoot, type RunAs } from './unprivileged-user.ts';

/** A PostgreSQL cluster on disk, and how to run programs on it. */
export interface Cluster {
  /** Absolute, without symbolic links. Readable by `user` alone, which protects the socket inside as well. */
  readonly dir: string;
  /** Undefined: the process's own user. */
  readonly user: RunAs | undefined;
  readonly postgres: string;
  /** Settings besides the usual ones. */
  readonly settings: Readonly<Record<string, string>>;
}

/** The role that owns everything, and the database. */
export const ROLE = 'parley';
export const DATABASE = 'parley';

/**
 * Opens the cluster in a data folder; makes one when there is none.
 * @throws Error when the cluster belongs to another user or another version, or initdb fails.
 */
export function openCluster(
  dataDir: string,
  log: Logger,
  settings: Readonly<Record<string, string>> = {},
): Cluster {
  const dir = join(dataDir, 'postgres');
  if (!existsSync(dir)) {
    log.info({ dir }, 'setting up a new PostgreSQL cluster');
    initialise(dataDir, dir);
  }
  refuseOfOthers(dir);
  if (!existsSync(join(dir, 'PG_VERSION'))) {
    throw new Error(`${dir} holds no PostgreSQL data. Next: move it away, or use another data folder`);
  }
  const version = readFileSync(join(dir, 'PG_VERSION'), 'utf8').trim();
  if (version !== POSTGRES_MAJOR) {
    throw new Error(
      `${dir} was written by PostgreSQL ${version}, this is ${POSTGRES_MAJOR}. ` +
        'Next: use another data folder, or move the data with pg_dump of the old version',
    );
  }
  // Root may have copied it: then it is handed over.
  const user = clusterUser(dir);
  if (user !== undefined && statSync(dir).uid !== user.uid) giveTo(dir, user);
  return { dir: realpathSync(dir), user, postgres: postgresBinaries(user).postgres, settings };
}

/** Without being root, a folder of another user cannot even be looked into. */
function refuseOfOthers(dir: string): void {
  const own = process.getuid?.();
  const owner = statSync(dir).uid;
  if (own === undefined || own === 0 || own === owner) return;
  throw new Error(
    `${dir} belongs to user ${owner}, this process runs as ${own}. ` +
      `Next: start as user ${owner} or as root, or use another data folder`,
  );
}

/** Made aside and moved in place, so that an initdb cut short leaves no half of a cluster. */
function initialise(dataDir: string, dir: string): void {
  const unfinished = join(dataDir, 'postgres.new');
  rmSync(unfinished, { recursive: true, force: true });
  mkdirSync(unfinished, { mode: 0o700 });
  const user = initUser();
  if (user !== undefined) giveTo(unfinished, user);
  const { initdb } = postgresBinaries(user);
  // Whoever can open the socket can read the files beside it, so a password would protect nothing. No TCP at all.
  const access = ['--auth-local=trust', '--auth-host=reject'];
  const args = [
    '-D',
    dataArgument(unfinished),
    `--username=${ROLE}`,
    '--encoding=UTF8',
    '--no-locale',
    ...access,
  ];
  const ran = spawnSync(initdb, args, { cwd: unfinished, env: environment(), encoding: 'utf8', ...user });
  if (ran.status !== 0) {
    throw new Error(
      `initdb could not set up ${unfinished}: ${ran.error?.message ?? lastLines(ran.stderr)}. ` +
        'Next: check that the folder is on a local disk with space, and start again',
    );
  }
  const owner = clusterUser(undefined);
  if (owner !== undefined) giveTo(unfinished, owner);
  chmodSync(unfinished, 0o700);
  renameSync(unfinished, dir);
}

/**
 * What to give as `-D` to a program that is started with the cluster as its working directory. Started by root, it could
 * not walk to a folder below one that only root may enter; /proc/self/cwd names the folder without a walk.
 */
export function dataArgument(dir: string): string {
  return isRoot() && process.platform === 'linux' ? '/proc/self/cwd' : dir;
}

/** Nothing of the caller's environment: PG* variables and locales would change what the programs do. */
export function environment(): NodeJS.ProcessEnv {
  return { PATH: process.env['PATH'] ?? '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' };
}

export function lastLines(text: string | null, lines = 5): string {
  return (text ?? '').trim().split('\n').slice(-lines).join(' | ');
}
