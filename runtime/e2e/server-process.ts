import { spawn, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { NodeRole } from '../ports/node-directory.ts';

/** A `parley serve`, or a role of a cluster, in a process of its own: what is killed is real, and so is what survives. */
export interface ServerProcess {
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  /** Settles when the process is gone. `code` is undefined when a signal ended it. */
  readonly exited: Promise<{ readonly code: number | undefined; readonly signal: string | undefined }>;
  /** What it wrote to standard error so far, at most the last 64 KiB. */
  log(): string;
  /** Sends the signal and waits until the process is gone. */
  end(signal: 'SIGTERM' | 'SIGKILL'): Promise<{ readonly code: number | undefined }>;
}

export interface ServerProcessOptions {
  readonly dataDir: string;
  /** 0 (the default) for a free one. */
  readonly port?: number;
  readonly args?: readonly string[];
  /** In a process group of its own: Ctrl-C in the terminal is for whoever started it, who ends it. */
  readonly ownGroup?: boolean;
}

const MAIN = fileURLToPath(new URL('../main.ts', import.meta.url));
const START_TIMEOUT_MS = 60_000;
const LOG_CHARS = 64 * 1024;

/** @throws Error, with what the process said, when it does not become ready. */
export function startServerProcess({
  dataDir,
  port = 0,
  args = [],
  ownGroup = false,
}: ServerProcessOptions): Promise<ServerProcess> {
  const argv = ['serve', '--json', '--port', String(port), '--data', dataDir, '--log-level', 'warn', ...args];
  return startProcess(argv, ownGroup);
}

/** One role of a cluster, on the configuration in a file. @throws Error as `startServerProcess`. */
export function startRoleProcess(role: NodeRole, configFile: string): Promise<ServerProcess> {
  return startProcess([role, '--json', '--config', configFile]);
}

async function startProcess(args: readonly string[], detached = false): Promise<ServerProcess> {
  const child = spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', 'pipe', 'pipe'], detached });
  let log = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    log = (log + text).slice(-LOG_CHARS);
  });
  const exited = new Promise<{ code: number | undefined; signal: string | undefined }>((resolve) => {
    child.once('exit', (code, signal) => resolve({ code: code ?? undefined, signal: signal ?? undefined }));
  });
  // Whoever is interrupted takes its server along; nothing may be left running.
  const onExit = (): void => void child.kill('SIGKILL');
  process.once('exit', onExit);
  child.once('exit', () => process.off('exit', onExit));

  const ready = await firstLine(child, exited, () => log);
  const { url, pid } = JSON.parse(ready) as { url: string; pid: number };
  return {
    url,
    pid,
    exited,
    port: Number(new URL(url).port),
    log: () => log,
    async end(signal) {
      child.kill(signal);
      return exited;
    },
  };
}

async function firstLine(
  child: ChildProcess,
  exited: Promise<{ code: number | undefined }>,
  log: () => string,
): Promise<string> {
  let text = '';
  const line = new Promise<string>((resolve) => {
    child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
      const end = text.indexOf('\n');
      if (end >= 0) resolve(text.slice(0, end));
    });
  });
  const timeout = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    child.kill('SIGKILL');
    timeout.reject(new Error(`the server was not ready after ${START_TIMEOUT_MS / 1_000} s: ${log()}`));
  }, START_TIMEOUT_MS);
  const ended = exited.then(({ code }) => {
    throw new Error(`the server ended with ${code ?? 'a signal'} before it was ready: ${log()}`);
  });
  try {
    return await Promise.race([line, timeout.promise, ended]);
  } finally {
    clearTimeout(timer);
    ended.catch(() => undefined);
  }
}
