import { spawn, type ChildProcess } from 'node:child_process';
import { createWriteStream, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { kafkaJars } from '../../../deploy/services/kafka.ts';

/** One process of Kafka, for tests: a broker, a controller or both. */
export interface KafkaProcess {
  /** Starts it, again on the same folder and ports, and waits until it listens. */
  start(): Promise<void>;
  /** SIGKILL, as a machine that dies. */
  end(): Promise<void>;
  /** SIGSTOP and SIGCONT: it stands still with its connections open, and goes on. */
  signal(signal: 'SIGSTOP' | 'SIGCONT'): void;
}

export interface KafkaProcessOptions {
  /** Its own; made when it is not there. */
  readonly folder: string;
  /** A port on which it listens when it is up. */
  readonly port: number;
  readonly clusterId: string;
  /** What formatting is told of the controllers: `--standalone` the only one, `--no-initial-controllers` one of others. */
  readonly controllers: readonly string[];
  readonly memoryMiB: number;
  readonly settings: Readonly<Record<string, string>>;
}

const START_MS = 60_000;

export const newClusterId = (): string =>
  Buffer.from(crypto.getRandomValues(new Uint8Array(16))).toString('base64url');

/** Formats its folder. @throws Error when there are no jars, or on `start` when it does not come up, with its last words. */
export async function createKafkaProcess(options: KafkaProcessOptions): Promise<KafkaProcess> {
  const { folder, port, settings } = options;
  const jars = kafkaJars();
  if (jars === undefined) throw new Error('Kafka is not installed: make services installs it');
  const logFile = join(folder, 'broker.log');
  const properties = join(folder, 'server.properties');
  mkdirSync(join(folder, 'data'), { recursive: true });
  const lines = Object.entries({ ...settings, 'log.dirs': join(folder, 'data') });
  writeFileSync(properties, lines.map(([name, value]) => `${name}=${value}\n`).join(''));
  const java = (memoryMiB: number, ...command: string[]): ChildProcess =>
    spawn(
      'java',
      [`-Xmx${memoryMiB}m`, '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-cp', `${jars}/*`, ...command],
      { stdio: ['ignore', 'pipe', 'pipe'] },
    );
  let child: ChildProcess | undefined;

  async function format(): Promise<void> {
    const { clusterId, controllers } = options;
    // As one argument: an id may begin with a hyphen.
    const cluster = `--cluster-id=${clusterId}`;
    const tool = ['kafka.tools.StorageTool', 'format', ...controllers, cluster, '-c', properties];
    const formatting = java(128, ...tool);
    let words = '';
    for (const stream of [formatting.stdout, formatting.stderr])
      stream?.on('data', (chunk: Buffer) => (words += chunk.toString()));
    const code = await ended(formatting);
    if (code !== 0) throw new Error(`formatting Kafka's folder failed with ${code}: ${words}`);
  }

  async function start(): Promise<void> {
    const starting = java(options.memoryMiB, 'kafka.Kafka', properties);
    child = starting;
    const log = createWriteStream(logFile, { flags: 'a' });
    starting.stdout?.pipe(log, { end: false });
    starting.stderr?.pipe(log, { end: false });
    let exited = false;
    starting.once('exit', () => (exited = true));
    for (let waited = 0; waited < START_MS; waited += 100) {
      if (exited) break;
      if (await answers(port)) return;
      await sleep(100);
    }
    throw new Error(`Kafka did not come up:\n${readFileSync(logFile, 'utf8').slice(-2_000)}`);
  }

  await format();
  return {
    start,
    async end() {
      const ending = child;
      child = undefined;
      if (ending === undefined) return;
      const gone = ended(ending);
      ending.kill('SIGKILL');
      await gone;
    },
    signal: (signal) => void child?.kill(signal),
  };
}

function ended(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => resolve(code));
  });
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
