import { setTimeout as sleep } from 'node:timers/promises';
import { installDebianPackage } from './debian-package.ts';
import type { Engine, Launch, Program } from './engine.ts';
import { findProgram } from './find-program.ts';
import { exchange } from './port-answer.ts';
import { programVersion } from './program-version.ts';
import { runCommand } from './run-command.ts';

const SERVER = 'redis-server';

const WHOLE_MS = 20_000;
/** How far above a node's port the others of its cluster reach it. */
const BUS = 10_000;

export const REDIS: Program = {
  name: 'Redis',
  isInstalled: () => findProgram(SERVER) !== undefined,
  alone: true,
  install: () => installDebianPackage('redis-server'),
};

/** A single Redis. It keeps nothing on disk: what it loses comes back with the next heartbeats. */
export function redisEngine(name: string, port: number): Engine {
  return {
    name,
    kind: 'redis',
    program: REDIS,
    port,
    prepare: (folder) => launch(port, folder, []),
    answers: () => ping(port),
  };
}

/** One node of a Redis Cluster. The last of them, once it runs, joins them all. */
export function redisClusterEngine(name: string, port: number, all: readonly number[]): Engine {
  const cluster = ['--cluster-enabled', 'yes', '--cluster-config-file', 'nodes.conf'];
  const engine: Engine = {
    name,
    kind: 'redis-cluster',
    program: REDIS,
    port,
    otherPorts: [port + BUS],
    prepare: (folder) => launch(port, folder, cluster),
    answers: () => ping(port),
  };
  return port === all.at(-1) ? { ...engine, furnish: () => joinCluster(all) } : engine;
}

async function joinCluster(ports: readonly number[]): Promise<void> {
  const nodes = ports.map((port) => `127.0.0.1:${port}`);
  if (!(await clusterIsWhole(ports))) {
    const how = ['--cluster-replicas', '0', '--cluster-yes'];
    await runCommand('redis-cli', ['--cluster', 'create', ...nodes, ...how]);
  }
  const until = performance.now() + WHOLE_MS;
  while (!(await clusterIsWhole(ports))) {
    if (performance.now() > until)
      throw new Error(
        `the Redis Cluster on ports ${ports.join(', ')} is not whole after ${WHOLE_MS / 1_000} s`,
      );
    await sleep(100);
  }
}

async function clusterIsWhole(ports: readonly number[]): Promise<boolean> {
  const states = await Promise.all(
    ports.map((port) => exchange(port, 'CLUSTER INFO\r\n', (answer) => answer.includes('cluster_state:ok'))),
  );
  return states.every(Boolean);
}

async function launch(port: number, folder: string, more: readonly string[]): Promise<Launch> {
  const network = ['--port', String(port), '--bind', '127.0.0.1', '--protected-mode', 'yes'];
  const storage = ['--dir', folder, '--save', '', '--appendonly', 'no', '--daemonize', 'no'];
  const command = findProgram(SERVER);
  if (command === undefined) throw new Error('Redis is not installed');
  return { command, args: [...network, ...storage, ...more], version: await programVersion(command) };
}

function ping(port: number): Promise<boolean> {
  return exchange(port, 'PING\r\n', (answer) => answer.startsWith('+PONG'));
}
