import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts } from '../../../cluster/free-ports.ts';
import { createKafkaProcess, newClusterId } from './kafka-process.ts';

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
  const folder = mkdtempSync(join(tmpdir(), 'parley-kafka-'));
  const [port = 0, controllerPort = 0] = await freePorts(2);
  const address = `127.0.0.1:${port}`;
  const broker = await createKafkaProcess({
    folder,
    port,
    clusterId: newClusterId(),
    controllers: ['--standalone'],
    memoryMiB: 320,
    settings: {
      ...SETTINGS,
      'controller.quorum.bootstrap.servers': `127.0.0.1:${controllerPort}`,
      listeners: `PLAINTEXT://${address},CONTROLLER://127.0.0.1:${controllerPort}`,
      'advertised.listeners': `PLAINTEXT://${address}`,
    },
  });
  await broker.start();
  return {
    address,
    version: 'Kafka 4.2.1',
    start: () => broker.start(),
    kill: () => broker.end(),
    async stop() {
      await broker.end();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
