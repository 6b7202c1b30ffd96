import type { Script } from '../script.ts';
import { CONSUMER_SCRIPTS } from './consumer-scripts.ts';
import { LOG_SCRIPTS } from './log-scripts.ts';
import { PRODUCER_SCRIPTS } from './producer-scripts.ts';
import type { QueueStep } from './queue-step.ts';
import { REPLICA_SCRIPTS } from './replica-scripts.ts';

/** What Kafka does that surprises somebody, each as a script for the model and the engine. */
export const KAFKA_SCRIPTS: readonly Script<QueueStep>[] = [
  ...PRODUCER_SCRIPTS,
  ...CONSUMER_SCRIPTS,
  ...LOG_SCRIPTS,
  ...REPLICA_SCRIPTS,
];
