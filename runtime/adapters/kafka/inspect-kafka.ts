import kafkajs from 'kafkajs';
import type { Logger } from 'pino';
import { createKafkaAdmin } from './kafka-admin.ts';
import { DEAD_TOPIC, DEFAULT_KAFKA_TUNING, deliverTopic, type KafkaRegion } from './kafka-options.ts';

/** What one region's Kafka says about itself and our topics, for people who look for a fault. */
export interface KafkaReport {
  readonly brokers: number;
  readonly topics: readonly TopicReport[];
  readonly missing: readonly string[];
  readonly roundTripMs: number;
}

export interface TopicReport {
  readonly topic: string;
  readonly partitions: number;
  readonly replicas: number;
  /** Partitions without a leader, or with fewer copies in sync than they should have. */
  readonly leaderless: number;
  readonly behind: number;
  readonly minInsyncReplicas: number;
}

/** @param homes all regions of the deployment. @throws Error when no broker answers in time. */
export async function inspectKafka(
  region: KafkaRegion,
  homes: readonly string[],
  options: { readonly timeoutMs: number; readonly log: Logger },
): Promise<KafkaReport> {
  const { timeoutMs, log } = options;
  const tuning = { ...DEFAULT_KAFKA_TUNING, requestTimeoutMs: timeoutMs, connectTimeoutMs: timeoutMs };
  const admin = createKafkaAdmin(region, { clientId: 'parley doctor', tuning, log });
  try {
    const began = performance.now();
    const cluster = await admin.ask((kafka) => kafka.describeCluster());
    const roundTripMs = Math.round(performance.now() - began);
    const wanted = [...homes.map(deliverTopic), DEAD_TOPIC];
    const known = await admin.ask((kafka) => kafka.listTopics());
    const present = wanted.filter((topic) => known.includes(topic));
    const { topics } = await admin.ask((kafka) => kafka.fetchTopicMetadata({ topics: present }));
    const minimums = await minInsyncReplicas(admin, present);
    return {
      brokers: cluster.brokers.length,
      missing: wanted.filter((topic) => !known.includes(topic)),
      roundTripMs,
      topics: topics.map(({ name, partitions }) => ({
        topic: name,
        partitions: partitions.length,
        replicas: Math.min(...partitions.map(({ replicas }) => replicas.length)),
        leaderless: partitions.filter(({ leader }) => leader < 0).length,
        behind: partitions.filter(({ isr, replicas }) => isr.length < replicas.length).length,
        minInsyncReplicas: minimums.get(name) ?? 1,
      })),
    };
  } finally {
    await admin.close();
  }
}

async function minInsyncReplicas(
  admin: ReturnType<typeof createKafkaAdmin>,
  topics: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  if (topics.length === 0) return new Map();
  const { resources } = await admin.ask((kafka) =>
    kafka.describeConfigs({
      includeSynonyms: false,
      resources: topics.map((name) => ({
        type: kafkajs.ConfigResourceTypes.TOPIC,
        name,
        configNames: ['min.insync.replicas'],
      })),
    }),
  );
  return new Map(
    resources.map(({ resourceName, configEntries }) => [
      resourceName,
      Number(configEntries[0]?.configValue ?? 1),
    ]),
  );
}
