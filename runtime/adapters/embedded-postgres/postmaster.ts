import { type ChildProcess, spawn } from 'node:child_process';
import {
  closeSync,
  existsSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type Cluster, dataArgument, environment, lastLines } from './cluster.ts';
import { postgresSettings, SOCKET_PORT } from './postgres-settings.ts';
import { commandOf, exists, workingDirectoryOf } from './process-identity.ts';

/** Starting and stopping the main process of a cluster, and finding one that an earlier server left behind. */

/** PostgreSQL's log, beside the cluster; the one before it is kept. */
const LOG_BYTES = 8 * 1024 * 1024;
const POLL_MS = 15;
/** A crashed cluster first replays its log: up to `max_wal_size`, some seconds on a slow disk, and then some. */
const READY_MS = 120_000;
const FAST_SHUTDOWN_MS = 30_000;
const IMMEDIATE_SHUTDOWN_MS = 5_000;

export interface Postmaster {
  readonly pid: number;
  /** Resolves when it is gone, with how it went. */
  readonly exited: Promise<string>;
  /** From here on the event loop stays alive until it is gone. */
  hold(): void;
}

/**
 * Starts PostgreSQL and waits until it takes connections. None may be running: see `findOrphan`.
 * It gets a session of its own: a Ctrl-C in the terminal must reach the server, which drains and then stops PostgreSQL.
 * @throws Error with the end of its log when it does not come up.
 */
export async function startPostmaster(cluster: Cluster, logFile: string): Promise<Postmaster> {
  const giveUpAt = Date.now() + READY_MS;
  for (;;) {
    const logStart = rotate(logFile);
    disownPidFile(cluster.dir);
    const postmaster = launch(cluster, logFile);
    const failure = await untilReady(cluster, postmaster, giveUpAt);
    if (failure === undefined) return postmaster;
    const said = readFileSync(logFile).subarray(logStart).toString('utf8');
    // Children of a postmaster that was killed take a moment to notice that it is gone.
    if (!said.includes('pre-existing shared memory block') || Date.now() > giveUpAt) {
      throw new Error(
        `PostgreSQL did not start (${failure}): ${lastLines(said)}. Next: read ${logFile} and start again`,
      );
    }
    await delay(200);
  }
}

function launch(cluster: Cluster, logFile: string): Postmaster {
  const log = openSync(logFile, 'a', 0o600);
  let child: ChildProcess;
  try {
    child = spawn(
      cluster.postgres,
      ['-D', dataArgument(cluster.dir), ...postgresSettings(cluster.settings)],
      {
        cwd: cluster.dir,
        env: environment(),
        stdio: ['ignore', log, log],
        detached: true,
        ...cluster.user,
      },
    );
  } finally {
    closeSync(log);
  }
  child.unref();
  const exited = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code, signal) => resolve(signal === null ? `exit code ${code}` : `signal ${signal}`));
  });
  return { pid: child.pid ?? 0, exited, hold: () => child.ref() };
}

/** @returns undefined when ready, else what went wrong. */
async function untilReady(
  cluster: Cluster,
  postmaster: Postmaster,
  giveUpAt: number,
): Promise<string | undefined> {
  let gone: string | undefined;
  postmaster.exited.then(
    (how) => (gone = how),
    () => {},
  );
  while (Date.now() < giveUpAt) {
    if (gone !== undefined) return gone;
    const file = readPidFile(cluster.dir);
    if (file?.pid === postmaster.pid && file.status === 'ready') return undefined;
    await delay(POLL_MS);
  }
  process.kill(postmaster.pid, 'SIGQUIT');
  return `not ready after ${READY_MS / 1000} s`;
}

/**
 * Fast shutdown: sessions are cut, transactions under way are rolled back, everything is written. What does not go by
 * then is stopped at once, and recovers from its log at the next start; nothing committed is lost either way.
 */
export async function stopPostmaster(pid: number): Promise<void> {
  if (await signalAndWait(pid, 'SIGINT', FAST_SHUTDOWN_MS)) return;
  if (await signalAndWait(pid, 'SIGQUIT', IMMEDIATE_SHUTDOWN_MS)) return;
  throw new Error(`PostgreSQL (process ${pid}) does not stop. Next: kill -9 ${pid}`);
}

async function signalAndWait(pid: number, signal: NodeJS.Signals, waitMs: number): Promise<boolean> {
  try {
    process.kill(pid, signal);
  } catch {
    return true;
  }
  for (const until = Date.now() + waitMs; Date.now() < until; await delay(POLL_MS)) {
    if (!exists(pid)) return true;
  }
  return false;
}

/** @returns the pid of a PostgreSQL of this cluster that still runs though its server is gone, or undefined. */
export function findOrphan(cluster: Cluster): number | undefined {
  const pid = readPidFile(cluster.dir)?.pid;
  return pid !== undefined && exists(pid) && isPostmasterOf(cluster, pid) ? pid : undefined;
}

/**
 * PostgreSQL takes any process with the number in its pid file for a running server, also a stranger, or its own dead
 * self when nobody has collected it. Known to be neither, the number is replaced by this process's, which PostgreSQL
 * sees to be its parent and no rival. The file itself stays: it names the shared memory by which PostgreSQL makes sure
 * that no backend of the dead server is still at work on the files.
 */
function disownPidFile(dir: string): void {
  const file = join(dir, 'postmaster.pid');
  if (existsSync(file)) writeFileSync(file, readFileSync(file, 'utf8').replace(/^\d*/, String(process.pid)));
  rmSync(join(dir, `.s.PGSQL.${SOCKET_PORT}.lock`), { force: true });
}

function isPostmasterOf(cluster: Cluster, pid: number): boolean {
  const cwd = workingDirectoryOf(pid);
  const command = commandOf(pid) ?? '';
  if (cwd === undefined) return command.includes('postgres') && command.includes(cluster.dir);
  return command.includes('postgres') && realpathSync(cluster.dir) === cwd;
}

interface PidFile {
  readonly pid: number;
  readonly status: string;
}

/** The first and the eighth line of postmaster.pid (PostgreSQL source, utils/pidfile.h). */
function readPidFile(dir: string): PidFile | undefined {
  try {
    const lines = readFileSync(join(dir, 'postmaster.pid'), 'utf8').split('\n');
    const pid = Number(lines[0]);
    return Number.isInteger(pid) && pid > 0 ? { pid, status: (lines[7] ?? '').trim() } : undefined;
  } catch {
    return undefined;
  }
}

/** @returns the length of the log before this start. */
function rotate(logFile: string): number {
  if (!existsSync(logFile)) return 0;
  const { size } = statSync(logFile);
  if (size < LOG_BYTES) return size;
  renameSync(logFile, `${logFile}.1`);
  return 0;
}
