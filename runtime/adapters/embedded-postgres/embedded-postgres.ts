import { mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import type { Logger } from 'pino';
import { type Cluster, DATABASE, openCluster, ROLE } from './cluster.ts';
import { type DataFolderLock, lockDataFolder } from './data-folder-lock.ts';
import { SOCKET_PORT } from './postgres-settings.ts';
import { findOrphan, type Postmaster, startPostmaster, stopPostmaster } from './postmaster.ts';

export interface EmbeddedPostgresOptions {
  /** Folder of this server's data; created when missing. The cluster lives in its subfolder `postgres`. */
  readonly dataDir: string;
  readonly log: Logger;
  /** Settings of PostgreSQL by name, over the usual ones: for tests that need a server in a particular state. */
  readonly settings?: Readonly<Record<string, string>>;
}

/** A PostgreSQL that this process started and keeps running: restarted when it dies, until `stop`. */
export interface EmbeddedPostgres {
  /** A URL for `pg` and `psql`; the server listens on a Unix socket inside the data folder and on no port. */
  readonly connectionString: string;
  /** Of the postmaster; another after a restart. */
  pid(): number;
  /** Fast shutdown: waits for it, then gives the data folder free. Safe to call twice. */
  stop(): Promise<void>;
}

/** First and largest pause between restarts of a PostgreSQL that died. */
const RESTART_BASE_MS = 50;
const RESTART_MAX_MS = 5_000;
/** A Unix socket's path has room for 107 bytes on Linux and 103 on macOS (`sun_path`). */
const SOCKET_PATH_BYTES = 103;

/**
 * Starts a real PostgreSQL on a data folder, with fsync on, under an unprivileged user when this process is root, and
 * keeps it running until `stop`. One that an earlier server left behind is shut down first and started again.
 *
 * @throws DataFolderInUseError when another server has the folder; Error, with the next step, when PostgreSQL cannot run.
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const dataDir = resolve(options.dataDir);
  const { log } = options;
  mkdirSync(dataDir, { recursive: true, mode: 0o711 });
  const lock = lockDataFolder(dataDir);
  try {
    const cluster = openCluster(dataDir, log, options.settings);
    await stopOrphan(cluster, log);
    const logFile = join(dataDir, 'postgres.log');
    const keeper = keep(cluster, logFile, await startPostmaster(cluster, logFile), log);
    const socket = reachableSocket(cluster.dir);
    try {
      await ensureDatabase(socket.host);
    } catch (error) {
      await keeper.stop();
      throw error;
    }
    return embedded(keeper, socket, lock);
  } catch (error) {
    lock.release();
    throw error;
  }
}

function embedded(keeper: Keeper, socket: SocketPath, lock: DataFolderLock): EmbeddedPostgres {
  // A server that ends without stop() (an uncaught exception) takes its PostgreSQL along; one killed with -9 cannot,
  // and the next start finds it.
  const onExit = (): void => {
    try {
      process.kill(keeper.pid(), 'SIGINT');
    } catch {
      // Already gone.
    }
  };
  process.once('exit', onExit);
  let stopping: Promise<void> | undefined;
  const stop = async (): Promise<void> => {
    process.removeListener('exit', onExit);
    await keeper.stop();
    socket.release();
    lock.release();
  };
  return {
    connectionString: connectionString(socket.host, DATABASE),
    pid: () => keeper.pid(),
    stop: () => (stopping ??= stop()),
  };
}

async function stopOrphan(cluster: Cluster, log: Logger): Promise<void> {
  const orphan = findOrphan(cluster);
  if (orphan === undefined) return;
  log.warn(
    { postgresPid: orphan },
    'a PostgreSQL that an earlier server left running is shut down and started again',
  );
  await stopPostmaster(orphan);
}

interface Keeper {
  pid(): number;
  stop(): Promise<void>;
}

/** Restarts PostgreSQL when it dies: everything committed is in its log, so it comes back with all of it. */
function keep(cluster: Cluster, logFile: string, first: Postmaster, log: Logger): Keeper {
  let current = first;
  let stopping = false;
  const watch = async (): Promise<void> => {
    for (;;) {
      const how = await current.exited;
      if (stopping) return;
      log.error({ postgresPid: current.pid, how, logFile }, 'PostgreSQL died and is started again');
      for (let pause = RESTART_BASE_MS; !stopping; pause = Math.min(2 * pause, RESTART_MAX_MS)) {
        await delay(pause);
        if (stopping) return;
        try {
          current = await startPostmaster(cluster, logFile);
          log.info({ postgresPid: current.pid }, 'PostgreSQL is back');
          // A stop that came meanwhile found nothing to stop.
          if (stopping) await stopPostmaster(current.pid);
          break;
        } catch (error) {
          log.error({ err: error }, 'PostgreSQL could not be started again, trying on');
        }
      }
    }
  };
  const watching = watch();
  return {
    pid: () => current.pid,
    stop: async () => {
      stopping = true;
      current.hold();
      await stopPostmaster(current.pid);
      await watching;
    },
  };
}

interface SocketPath {
  readonly host: string;
  release(): void;
}

/** The socket lies in the cluster's folder; a folder with too long a name is reached through a short link. */
function reachableSocket(dir: string): SocketPath {
  if (Buffer.byteLength(`${dir}/.s.PGSQL.${SOCKET_PORT}`) <= SOCKET_PATH_BYTES)
    return { host: dir, release: () => {} };
  const link = join(tmpdir(), `parley-${process.pid}-${process.hrtime.bigint()}`);
  symlinkSync(dir, link);
  return { host: link, release: () => rmSync(link, { force: true }) };
}

function connectionString(host: string, database: string): string {
  return `postgresql://${ROLE}@/${database}?host=${encodeURIComponent(host)}&port=${SOCKET_PORT}`;
}

async function ensureDatabase(host: string): Promise<void> {
  const client = new pg.Client({ connectionString: connectionString(host, 'postgres') });
  await client.connect();
  try {
    const found = await client.query('SELECT FROM pg_database WHERE datname = $1', [DATABASE]);
    if (found.rowCount === 0) await client.query(`CREATE DATABASE ${pg.escapeIdentifier(DATABASE)}`);
  } finally {
    await client.end();
  }
}
