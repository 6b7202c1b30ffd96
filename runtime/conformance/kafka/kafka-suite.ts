import { startTestBroker } from '../../adapters/kafka/testing/test-broker.ts';
import { createSuite } from '../conformance.ts';
import type { Suite } from '../script.ts';
import { EngineDriver } from './engine-driver.ts';
import { ModelDriver } from './model-driver.ts';
import { randomSteps } from './random-steps.ts';
import { KAFKA_SCRIPTS } from './scripts.ts';

/**
 * The simulator's delivery queue against a Kafka of the suite's own, started for it: scripts kill and restart it.
 * @throws Error when Kafka is not installed or does not come up.
 */
export async function openKafkaSuite(): Promise<Suite> {
  const broker = await startTestBroker();
  let homes = 0;
  return createSuite({
    engine: 'kafka',
    version: broker.version,
    rig: {
      openModel: () => new ModelDriver(),
      openEngine: () => EngineDriver.open(broker, `script-${++homes}`),
    },
    scripts: KAFKA_SCRIPTS,
    randomSteps,
    close: () => broker.stop(),
  });
}
