import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
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

/**
 * @param args more of redis-server's options, as `--name`, `value`. Nothing is kept on disk unless they say so.
 * @throws Error when there is no redis-server, or it does not answer.
 */
export async function startRedisServer(...args: string[]): Promise<RedisServer> {
  const folder = mkdtempSync(join(tmpdir(), 'parley-redis-'));
  const port = await freePort();
  let child = await launch(port, folder, args);
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

async function launch(port: number, folder: string, args: readonly string[]): Promise<ChildProcess> {
  const binary = process.env['PARLEY_REDIS_SERVER'] ?? 'redis-server';
  const fixed = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--daemonize', 'no'];
  const child = spawn(binary, [...fixed, '--save', '', '--appendonly', 'no', ...args], { stdio: 'ignore' });
  let failure: Error | undefined;
  child.once('error', (error) => (failure = error));
  child.once('exit', (code) => (failure ??= new Error(`${binary} ended with ${String(code)}`)));
  for (let tries = 0; tries < START_TRIES; tries++) {
    if (failure !== undefined)
      throw new Error(`no redis-server: install it, or set PARLEY_REDIS_SERVER to its path`, {
        cause: failure,
      });
    if (await answers(port)) return child;
    await sleep(20);
  }
  child.kill('SIGKILL');
  throw new Error(`redis-server does not answer on port ${port}`);
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

/** The bus of a cluster node listens 10,000 above its port, so that ports end at 55,535. */
async function freePort(): Promise<number> {
  for (;;) {
    const port = await new Promise<number>((resolve, reject) => {
      const server = createServer().once('error', reject);
      server.listen(0, '127.0.0.1', () => {
        const address = server.address();
        server.close(() => resolve(address === null || typeof address === 'string' ? 0 : address.port));
      });
    });
    if (port > 1_024 && port < 55_000) return port;
  }
}
