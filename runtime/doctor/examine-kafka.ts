import type { Logger } from 'pino';
import { inspectKafka, type TopicReport } from '../adapters/kafka/inspect-kafka.ts';
import type { Config } from '../config/load-config.ts';
import type { RegionConfig } from '../config/regions-schema.ts';
import { kafkaRegion } from '../roles/engine-addresses.ts';
import { broken, ok, warning, type Examination, type Finding } from './finding.ts';

export function examineKafka(
  each: RegionConfig,
  config: Config,
  options: { readonly timeoutMs: number; readonly log: Logger },
): Examination {
  const homes = config.regions.map(({ name }) => name);
  return {
    subject: 'Kafka',
    region: each.name,
    next: `look whether a broker of ${each.kafka.brokers.join(', ')} runs and may be reached from here. Until then messages are acknowledged and wait in the outbox`,
    async run() {
      const { brokers, topics, missing, roundTripMs } = await inspectKafka(kafkaRegion(each), homes, options);
      const plural = brokers === 1 ? 'broker' : 'brokers';
      const notes: Note[] = [ok(`${brokers} ${plural}, ${topics.length} topics, ${roundTripMs} ms away`)];
      if (missing.length > 0) notes.push(broken(`lacks the topics ${missing.join(', ')}`, 'parley migrate'));
      return [...notes, ...topics.flatMap((topic) => topicFindings(topic, each))];
    },
  };
}

type Note = Pick<Finding, 'verdict' | 'detail' | 'next'>;

function topicFindings(found: TopicReport, { kafka }: RegionConfig): readonly Note[] {
  const { topic, partitions, replicas, leaderless, behind, minInsyncReplicas } = found;
  const notes: Note[] = [];
  if (leaderless > 0)
    notes.push(
      broken(`${topic}: ${leaderless} partitions have no leader`, 'start the brokers that are down'),
    );
  else if (behind > 0)
    notes.push(
      warning(
        `${topic}: ${behind} partitions lack copies in sync`,
        'look at the brokers that are down or slow',
      ),
    );
  if (replicas < kafka.replicationFactor)
    notes.push(
      warning(
        `${topic}: ${replicas} copies, ${kafka.replicationFactor} are configured`,
        'kafka-reassign-partitions, or configure what there is',
      ),
    );
  if (minInsyncReplicas < kafka.minInsyncReplicas)
    notes.push(
      warning(
        `${topic}: min.insync.replicas is ${minInsyncReplicas}, ${kafka.minInsyncReplicas} is configured`,
        `kafka-configs --alter --topic ${topic} --add-config min.insync.replicas=${kafka.minInsyncReplicas}`,
      ),
    );
  if (partitions !== kafka.partitions && topic.startsWith('parley.deliver.'))
    notes.push(
      warning(
        `${topic}: ${partitions} partitions, ${kafka.partitions} are configured`,
        'configure what there is: a recipient’s partition follows from it',
      ),
    );
  return notes;
}
