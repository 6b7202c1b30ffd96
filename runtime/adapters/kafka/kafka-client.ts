import { Kafka, logLevel, type logCreator } from 'kafkajs';
import type { Logger } from 'pino';
import { createGuardedSockets, type GuardedSockets } from './guarded-sockets.ts';
import type { KafkaRegion, KafkaTuning } from './kafka-options.ts';
import { quietRequestQueues } from './quiet-request-queue.ts';

/** A kafkajs client for one producer, one consumer or one admin: kafkajs shares state between those of one client. */
export interface KafkaClient {
  readonly kafka: Kafka;
  readonly sockets: GuardedSockets;
}

export function createKafkaClient(
  region: KafkaRegion,
  options: { readonly clientId: string; readonly log: Logger; readonly tuning: KafkaTuning },
): KafkaClient {
  quietRequestQueues();
  const { clientId, log, tuning } = options;
  const sockets = createGuardedSockets(region.connect);
  const kafka = new Kafka({
    clientId,
    brokers: [...region.brokers],
    ...(region.ssl === undefined ? {} : { ssl: region.ssl }),
    ...(region.sasl === undefined ? {} : { sasl: region.sasl }),
    connectionTimeout: tuning.connectTimeoutMs,
    requestTimeout: tuning.requestTimeoutMs,
    socketFactory: sockets.factory,
    // Said in full, because kafkajs has other defaults when NODE_ENV is `test`.
    retry: { retries: 3, initialRetryTime: 100, multiplier: 2, factor: 0.2, maxRetryTime: 1_000 },
    logLevel: logLevel.WARN,
    logCreator: logTo(log.child({ kafka: region.region }), sockets),
  });
  return { kafka, sockets };
}

/**
 * What kafkajs calls an error is mostly a connection that it will make again: a warning here, and never more than its own
 * words. What it says once its client was given up is nobody's concern.
 */
function logTo(log: Logger, sockets: GuardedSockets): logCreator {
  return () =>
    ({ level, namespace, log: entry }) => {
      const { message, broker, topic, partition, groupId } = entry as Readonly<Record<string, unknown>>;
      const fields = { from: namespace, broker, topic, partition, groupId };
      if (level === logLevel.ERROR && !sockets.isCut) log.warn(fields, String(message));
      else log.debug(fields, String(message));
    };
}
