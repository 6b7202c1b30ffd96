import { setTimeout as sleep } from 'node:timers/promises';
import type { ITopicConfig, ITopicMetadata } from 'kafkajs';
import type { Logger } from 'pino';
import { createKafkaAdmin, type KafkaAdmin } from './kafka-admin.ts';
import { DEAD_TOPIC, DEFAULT_KAFKA_TUNING, deliverTopic, type KafkaRegion } from './kafka-options.ts';

/** How the topics of a deployment are laid out. Partitions are the most workers of a home that can share its work. */
export interface TopicLayout {
  /** 1 … 10,000. Must not change later: a recipient's partition follows from it. */
  readonly partitions: number;
  /** Copies of each record. */
  readonly replication: number;
  /** Copies that a publish waits for; `acks=all` is worth no more than this. At most `replication`. */
  readonly minInsyncReplicas: number;
  /** How long a record stays, in hours; longer than any outage that is to lose no push. */
  readonly retentionHours: number;
}

export interface TopicResult {
  /** The region in whose Kafka the topic is. */
  readonly region: string;
  readonly topic: string;
  readonly outcome: 'created' | 'exists' | 'differs';
  /** What is there instead, when it differs. */
  readonly detail: string | undefined;
}

/**
 * Makes every topic that is missing: in the Kafka of each region one topic for each home of recipients, and the dead letters.
 * Safe to repeat and to run by many at once. What is there already is never changed, only reported.
 * @throws Error that names the region whose Kafka does not answer or refuses.
 */
export async function createTopics(options: {
  readonly clientId: string;
  /** Where topics are made. */
  readonly regions: readonly KafkaRegion[];
  /** Names of all regions of the deployment: in each Kafka there is a topic for each. */
  readonly homes: readonly string[];
  readonly layout: TopicLayout;
  readonly log: Logger;
}): Promise<readonly TopicResult[]> {
  const { clientId, regions, homes, layout, log } = options;
  const topics = topicsOf(homes, layout);
  const results: TopicResult[] = [];
  for (const region of regions) {
    const admin = createKafkaAdmin(region, { clientId, log, tuning: DEFAULT_KAFKA_TUNING });
    try {
      results.push(...(await createMissing(region.region, admin, topics)));
    } catch (error) {
      const brokers = region.brokers.join(', ');
      throw new Error(`Kafka of region ${region.region} (${brokers}): ${(error as Error).message}`, {
        cause: error,
      });
    } finally {
      await admin.close();
    }
  }
  return results;
}

function topicsOf(homes: readonly string[], layout: TopicLayout): readonly ITopicConfig[] {
  const { partitions, replication, minInsyncReplicas, retentionHours } = layout;
  const configEntries = [
    { name: 'min.insync.replicas', value: String(minInsyncReplicas) },
    { name: 'retention.ms', value: String(retentionHours * 3_600_000) },
    // A replica that is behind never becomes leader: it would take acknowledged events away.
    { name: 'unclean.leader.election.enable', value: 'false' },
  ];
  const topic = (name: string, numPartitions: number): ITopicConfig => ({
    topic: name,
    numPartitions,
    replicationFactor: replication,
    configEntries,
  });
  return [...homes.map((home) => topic(deliverTopic(home), partitions)), topic(DEAD_TOPIC, 1)];
}

/** A topic that was made this moment may be unknown to the broker that is asked; kafkajs waits for its leaders, not for that. */
async function describe(admin: KafkaAdmin, topics: string[]): Promise<readonly ITopicMetadata[]> {
  for (let attempt = 0; ; attempt++) {
    try {
      return (await admin.ask((kafka) => kafka.fetchTopicMetadata({ topics }))).topics;
    } catch (error) {
      if (attempt === DESCRIBE_ATTEMPTS) throw error;
      await sleep(DESCRIBE_EVERY_MS);
    }
  }
}

const DESCRIBE_ATTEMPTS = 20;
const DESCRIBE_EVERY_MS = 100;

async function createMissing(
  region: string,
  admin: KafkaAdmin,
  topics: readonly ITopicConfig[],
): Promise<readonly TopicResult[]> {
  const existing = new Set(await admin.ask((kafka) => kafka.listTopics()));
  const missing = topics.filter(({ topic }) => !existing.has(topic));
  if (missing.length > 0)
    await admin.ask((kafka) => kafka.createTopics({ topics: [...missing], waitForLeaders: false }));
  const described = await describe(
    admin,
    topics.map(({ topic }) => topic),
  );
  return topics.map(({ topic, numPartitions }) => {
    const found = described.find(({ name }) => name === topic)?.partitions.length;
    if (found !== numPartitions) {
      const detail = `it has ${found ?? 'no'} partitions, ${numPartitions} are configured`;
      return { region, topic, outcome: 'differs', detail };
    }
    const outcome = existing.has(topic) ? 'exists' : 'created';
    return { region, topic, outcome, detail: undefined };
  });
}
