import { existsSync } from 'node:fs';
import { installDebianPackage } from './debian-package.ts';
import type { Engine } from './engine.ts';
import { exchange } from './port-answer.ts';
import { runCommand } from './run-command.ts';

const SERVER = '/usr/bin/redis-server';

export async function installRedis(): Promise<void> {
  if (!existsSync(SERVER)) await installDebianPackage('redis-server');
}

/** A single Redis. It keeps nothing on disk: what it loses comes back with the next heartbeats. */
export function redisEngine(name: string, port: number): Engine {
  return {
    name,
    kind: 'redis',
    port,
    version: "Debian's 7",
    prepare: (folder) => Promise.resolve({ command: SERVER, args: argumentsOf(port, folder) }),
    answers: () => ping(port),
  };
}

/** One node of a Redis Cluster. The last of them, once it runs, joins them all. */
export function redisClusterEngine(name: string, port: number, all: readonly number[]): Engine {
  const cluster = ['--cluster-enabled', 'yes', '--cluster-config-file', 'nodes.conf'];
  const engine: Engine = {
    name,
    kind: 'redis-cluster',
    port,
    version: "Debian's 7",
    prepare: (folder) =>
      Promise.resolve({ command: SERVER, args: [...argumentsOf(port, folder), ...cluster] }),
    answers: () => ping(port),
  };
  return port === all.at(-1) ? { ...engine, furnish: () => joinCluster(all) } : engine;
}

async function joinCluster(ports: readonly number[]): Promise<void> {
  const nodes = ports.map((port) => `127.0.0.1:${port}`);
  if (!(await clusterIsWhole(ports))) {
    await runCommand('redis-cli', [
      '--cluster',
      'create',
      ...nodes,
      '--cluster-replicas',
      '0',
      '--cluster-yes',
    ]);
  }
  for (let tries = 0; tries < 100 && !(await clusterIsWhole(ports)); tries++)
    await new Promise((resolve) => setTimeout(resolve, 100));
}

async function clusterIsWhole(ports: readonly number[]): Promise<boolean> {
  const states = await Promise.all(
    ports.map((port) => exchange(port, 'CLUSTER INFO\r\n', (answer) => answer.includes('cluster_state:ok'))),
  );
  return states.every(Boolean);
}

function argumentsOf(port: number, folder: string): string[] {
  const network = ['--port', String(port), '--bind', '127.0.0.1', '--protected-mode', 'yes'];
  return [...network, '--dir', folder, '--save', '', '--appendonly', 'no', '--daemonize', 'no'];
}

function ping(port: number): Promise<boolean> {
  return exchange(port, 'PING\r\n', (answer) => answer.startsWith('+PONG'));
}
