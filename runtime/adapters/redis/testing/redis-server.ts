import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { freeBase } from '../../../cluster/free-ports.ts';
import type { RedisEndpoint } from '../redis-endpoint.ts';

/** A redis-server of a test's own: it is killed, frozen, filled up and made a replica, which a shared one must not be. */
export interface RedisServer {
  readonly port: number;
  readonly endpoint: Extract<RedisEndpoint, { kind: 'single' }>;
  /** For what a test does behind the registry's back. Waits while the server is away. */
  readonly admin: Redis;
  /** SIGKILL is a crash; SIGSTOP and SIGCONT freeze and thaw. Settles when the process is gone, or has been told. */
  signal(signal: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT'): Promise<void>;
  /** Starts it again after a SIGKILL, on its port, with what it had written to disk. */
  restart(): Promise<void>;
  /** Ends the process and removes its folder. */
  stop(): Promise<void>;
}

const START_TRIES = 200;
/** The bus of a cluster node listens so far above its port. */
const BUS_ABOVE = 10_000;
/** As much of the end of what it says as explains why it ended. */
const SAID_CHARACTERS = 2_000;

/**
 * @param args more of redis-server's options, as `--name`, `value`. Nothing is kept on disk unless they say so.
 * @throws Error when there is no redis-server, or it ends or does not answer; with what it said.
 */
export async function startRedisServer(...args: string[]): Promise<RedisServer> {
  const folder = mkdtempSync(join(tmpdir(), 'parley-redis-'));
  const launched = await launchAnywhere(folder, args).catch((error: unknown) => {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  });
  const { port } = launched;
  let { child } = launched;
  const admin = new Redis({
    host: '127.0.0.1',
    port,
    retryStrategy: () => 20,
    maxRetriesPerRequest: null,
    protocol: 2,
  });
  admin.on('error', () => undefined);
  return {
    port,
    endpoint: { kind: 'single', host: '127.0.0.1', port },
    admin,
    async signal(signal) {
      const gone = signal === 'SIGKILL' ? exited(child) : undefined;
      child.kill(signal);
      await gone;
    },
    async restart() {
      child = await launch(port, folder, args);
    },
    async stop() {
      admin.disconnect();
      if (child.exitCode === null && child.signalCode === null) {
        const gone = exited(child);
        child.kill('SIGKILL');
        await gone;
      }
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Somebody took the port between the look and the server: another may do. */
const PORT_TRIES = 4;

async function launchAnywhere(
  folder: string,
  args: readonly string[],
): Promise<{ readonly child: ChildProcess; readonly port: number }> {
  for (let tries = 1; ; tries++) {
    const portsOf = (base: number): number[] => [base, base + BUS_ABOVE];
    const port = await freeBase({ portsOf, step: 1, random: Math.random });
    try {
      return { child: await launch(port, folder, args), port };
    } catch (error) {
      const lost =
        error instanceof Error && /already in use|creating server TCP listening/i.test(error.message);
      if (!lost || tries === PORT_TRIES) throw error;
    }
  }
}

async function launch(port: number, folder: string, args: readonly string[]): Promise<ChildProcess> {
  const binary = process.env['PARLEY_REDIS_SERVER'] ?? 'redis-server';
  const fixed = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--daemonize', 'no'];
  const child = spawn(binary, [...fixed, '--save', '', '--appendonly', 'no', ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let failure: Error | undefined;
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (said = (said + text).slice(-SAID_CHARACTERS)));
  child.once('error', (error: NodeJS.ErrnoException) => {
    const hint =
      error.code === 'ENOENT' ? 'install it, or set PARLEY_REDIS_SERVER to its path' : error.message;
    failure = new Error(`${binary} cannot be started: ${hint}`, { cause: error });
  });
  // `close` comes when all it said has been read.
  child.once('close', (code, signal) => {
    failure ??= new Error(
      `${binary} on port ${port} ended with ${String(code ?? signal)}:\n${said.trimEnd()}`,
    );
  });
  for (let tries = 0; tries < START_TRIES; tries++) {
    if (failure !== undefined) throw failure;
    // Whoever took the port may be a Redis too.
    if ((await answers(port)) && child.exitCode === null) return child;
    await sleep(20);
  }
  child.kill('SIGKILL');
  throw new Error(`redis-server does not answer on port ${port}; it said:\n${said.trimEnd()}`);
}

async function answers(port: number): Promise<boolean> {
  const client = new Redis({ host: '127.0.0.1', port, lazyConnect: true, retryStrategy: () => null });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return (await client.ping()) === 'PONG';
  } catch {
    return false;
  } finally {
    client.disconnect();
  }
}

function exited(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => child.once('exit', () => resolve()));
}
