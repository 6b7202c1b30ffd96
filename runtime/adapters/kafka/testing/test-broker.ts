import { spawn, type ChildProcess } from 'node:child_process';
import { createWriteStream, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { kafkaJars } from '../../../deploy/services/kafka.ts';

/** A Kafka of a test's own, on free ports of loopback in a temporary folder: it may be killed and started again. */
export interface TestBroker {
  /** `host:port` */
  readonly address: string;
  readonly version: string;
  /** Starts it again on the same folder and port. */
  start(): Promise<void>;
  /** SIGKILL, as a machine that dies. */
  kill(): Promise<void>;
  /** Ends it in order and removes its folder. */
  stop(): Promise<void>;
}

const START_MS = 60_000;

/** The broker takes shorter session timeouts than a real one would be given, so that tests need not wait for them. */
const SETTINGS: Readonly<Record<string, string>> = {
  'process.roles': 'broker,controller',
  'node.id': '1',
  'controller.listener.names': 'CONTROLLER',
  'inter.broker.listener.name': 'PLAINTEXT',
  'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
  'offsets.topic.replication.factor': '1',
  'offsets.topic.num.partitions': '1',
  'transaction.state.log.replication.factor': '1',
  'transaction.state.log.min.isr': '1',
  'transaction.state.log.num.partitions': '1',
  'share.coordinator.state.topic.replication.factor': '1',
  'share.coordinator.state.topic.min.isr': '1',
  'auto.create.topics.enable': 'false',
  'group.initial.rebalance.delay.ms': '0',
  'group.min.session.timeout.ms': '500',
};

/** @throws Error when there are no jars, or the broker does not come up; its last words are in the message. */
export async function startTestBroker(): Promise<TestBroker> {
  const jars = kafkaJars();
  if (jars === undefined) throw new Error('Kafka is not installed: make services installs it');
  const folder = mkdtempSync(join(tmpdir(), 'parley-kafka-'));
  const [port, controllerPort] = await freePorts();
  const address = `127.0.0.1:${port}`;
  const logFile = join(folder, 'broker.log');
  const properties = join(folder, 'server.properties');
  writeFileSync(properties, propertiesText(folder, address, controllerPort));
  mkdirSync(join(folder, 'data'));
  const java = (memory: string, ...command: string[]): ChildProcess =>
    spawn('java', [memory, '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-cp', `${jars}/*`, ...command], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  let child: ChildProcess | undefined;

  async function format(): Promise<void> {
    const id = Buffer.from(crypto.getRandomValues(new Uint8Array(16))).toString('base64url');
    const formatting = java(
      '-Xmx128m',
      'kafka.tools.StorageTool',
      'format',
      '--standalone',
      '-t',
      id,
      '-c',
      properties,
    );
    formatting.stdout?.resume();
    const code = await ended(formatting);
    if (code !== 0) throw new Error(`formatting Kafka's folder failed with ${code}`);
  }

  async function start(): Promise<void> {
    const starting = java('-Xmx320m', 'kafka.Kafka', properties);
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

  async function end(signal: NodeJS.Signals): Promise<void> {
    const ending = child;
    child = undefined;
    if (ending === undefined) return;
    const gone = ended(ending);
    ending.kill(signal);
    await gone;
  }

  await format();
  await start();
  return {
    address,
    version: 'Kafka 4.2.1',
    start,
    kill: () => end('SIGKILL'),
    async stop() {
      await end('SIGKILL');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function propertiesText(folder: string, address: string, controllerPort: number): string {
  const all = {
    ...SETTINGS,
    'controller.quorum.bootstrap.servers': `127.0.0.1:${controllerPort}`,
    listeners: `PLAINTEXT://${address},CONTROLLER://127.0.0.1:${controllerPort}`,
    'advertised.listeners': `PLAINTEXT://${address}`,
    'log.dirs': join(folder, 'data'),
  };
  return Object.entries(all)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('');
}

function ended(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => resolve(code));
  });
}

async function freePorts(): Promise<readonly [number, number]> {
  const servers = [createServer(), createServer()] as const;
  const ports = await Promise.all(
    servers.map(
      (server) =>
        new Promise<number>((resolve) =>
          server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port)),
        ),
    ),
  );
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports as unknown as readonly [number, number];
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
