import { startTestBroker } from '../../adapters/kafka/testing/test-broker.ts';
import { startTestBrokerPair, type TestBrokerPair } from '../../adapters/kafka/testing/test-broker-pair.ts';
import { createSuite } from '../conformance.ts';
import type { Suite } from '../script.ts';
import { EngineDriver } from './engine-driver.ts';
import { ModelDriver } from './model-driver.ts';
import { randomSteps } from './random-steps.ts';
import { ReplicaDriver } from './replica-driver.ts';
import { REPLICA_SCRIPTS } from './replica-scripts.ts';
import { KAFKA_SCRIPTS } from './scripts.ts';

/**
 * The simulator's delivery queue against a Kafka of the suite's own, started for it: scripts kill and restart it. Those about
 * replicas have two brokers, which are started when the first of them runs.
 * @throws Error when Kafka is not installed or does not come up.
 */
export async function openKafkaSuite(): Promise<Suite> {
  const broker = await startTestBroker();
  let pair: Promise<TestBrokerPair> | undefined;
  let homes = 0;
  async function openReplicas(): Promise<ReplicaDriver> {
    pair ??= startTestBrokerPair();
    return ReplicaDriver.open(await pair, `script-${++homes}`);
  }
  return createSuite({
    engine: 'kafka',
    version: broker.version,
    rig: {
      openModel: () => new ModelDriver(),
      openEngine: (script) =>
        REPLICA_SCRIPTS.includes(script) ? openReplicas() : EngineDriver.open(broker, `script-${++homes}`),
    },
    scripts: KAFKA_SCRIPTS,
    randomSteps,
    async close() {
      await broker.stop();
      await (await pair)?.stop();
    },
  });
}
