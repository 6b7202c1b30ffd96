import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts } from '../../../cluster/free-ports.ts';
import { createKafkaProcess, newClusterId, type KafkaProcess } from './kafka-process.ts';

/** Two brokers, 1 and 2, that hold copies of the same topics, and a controller beside them that outlives either. */
export interface TestBrokerPair {
  /** `host:port` of both. */
  readonly addresses: readonly [first: string, second: string];
  readonly first: KafkaProcess;
  readonly second: KafkaProcess;
  /** Ends all and removes their folder. */
  stop(): Promise<void>;
}

/**
 * How long a broker may be silent before another leads what it led, and before it counts as a copy no more. Longer than a
 * script lets the one stand still, so that it is still in sync when the other dies.
 */
const SESSION_MS = 6_000;

const SHARED: Readonly<Record<string, string>> = {
  'controller.listener.names': 'CONTROLLER',
  'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
  'broker.session.timeout.ms': String(SESSION_MS),
  'broker.heartbeat.interval.ms': '500',
  'leader.imbalance.check.interval.seconds': '1',
  'leader.imbalance.per.broker.percentage': '0',
};
const BROKER: Readonly<Record<string, string>> = {
  'process.roles': 'broker',
  'inter.broker.listener.name': 'PLAINTEXT',
  'offsets.topic.replication.factor': '2',
  'offsets.topic.num.partitions': '1',
  'share.coordinator.state.topic.replication.factor': '1',
  'share.coordinator.state.topic.min.isr': '1',
  'auto.create.topics.enable': 'false',
  'group.initial.rebalance.delay.ms': '0',
  'replica.fetch.wait.max.ms': '100',
  'replica.lag.time.max.ms': '60000',
};

/** @throws Error when there are no jars, or one of them does not come up; its last words are in the message. */
export async function startTestBrokerPair(): Promise<TestBrokerPair> {
  const folder = mkdtempSync(join(tmpdir(), 'parley-kafka-pair-'));
  const [controllerPort = 0, ...ports] = await freePorts(3);
  const clusterId = newClusterId();
  const quorum = { 'controller.quorum.bootstrap.servers': `127.0.0.1:${controllerPort}` };
  const controller = await createKafkaProcess({
    folder: join(folder, 'controller'),
    port: controllerPort,
    clusterId,
    controllers: ['--standalone'],
    memoryMiB: 160,
    settings: {
      ...SHARED,
      ...quorum,
      'process.roles': 'controller',
      'node.id': '3',
      listeners: `CONTROLLER://127.0.0.1:${controllerPort}`,
    },
  });
  const broker = (id: 1 | 2): Promise<KafkaProcess> => {
    const port = ports[id - 1] ?? 0;
    return createKafkaProcess({
      folder: join(folder, `broker-${id}`),
      port,
      clusterId,
      controllers: ['--no-initial-controllers'],
      memoryMiB: 256,
      settings: {
        ...SHARED,
        ...BROKER,
        ...quorum,
        'node.id': String(id),
        listeners: `PLAINTEXT://127.0.0.1:${port}`,
        'advertised.listeners': `PLAINTEXT://127.0.0.1:${port}`,
      },
    });
  };
  const [first, second] = [await broker(1), await broker(2)];
  const stop = async (): Promise<void> => {
    await Promise.all([first.end(), second.end(), controller.end()]);
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await controller.start();
    await Promise.all([first.start(), second.start()]);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    addresses: [`127.0.0.1:${ports[0]}`, `127.0.0.1:${ports[1]}`],
    first,
    second,
    stop,
  };
}
