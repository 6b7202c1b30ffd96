import type { DeliveryEvent } from '../../../core/contract/records.ts';
import type { DeliveryQueue, QueueMembership } from '../../ports/delivery-queue.ts';
import { createDeadLetters } from './dead-letters.ts';
import { createKafkaAdmin } from './kafka-admin.ts';
import {
  DEAD_TOPIC,
  DEFAULT_KAFKA_TUNING,
  deliverTopic,
  type KafkaQueueOptions,
  type KafkaRegion,
} from './kafka-options.ts';
import { createLagMonitor, type LagMonitor } from './lag-monitor.ts';
import { createPublisher } from './publisher.ts';
import { encodeEvents, type OutgoingRecord } from './record-codec.ts';
import { createRegionConsumer, type RegionConsumer } from './region-consumer.ts';

/** The delivery queue on Kafka, one cluster a region. */
export interface KafkaDeliveryQueue extends DeliveryQueue {
  /**
   * Whether this region's Kafka answers and has the topics that are needed.
   * @throws Error that says what is wrong and what to do.
   */
  ping(): Promise<void>;
  /** Publishes what waits, commits what is finished, leaves the groups. What `close` does, to be waited for. */
  drain(): Promise<void>;
}

/** Partitions of one topic that a number has room for; Kafka itself suggests at most a few thousand a broker. */
const PARTITIONS_PER_REGION = 100_000;

/**
 * Produces into this region's Kafka: one topic for each home of recipients, the key is the recipient. Consumes from every
 * region's Kafka what this region is home of, so that a region which is cut off holds up nobody else's events
 * (docs/adr/0004-shards-and-regions.md). At least once, in order for one recipient within one region.
 * @throws Error when its own region is not among the regions.
 */
export function createKafkaDeliveryQueue(options: KafkaQueueOptions): KafkaDeliveryQueue {
  const { region: home, regions, placement, clientId, metrics, log } = options;
  const tuning = { ...DEFAULT_KAFKA_TUNING, ...options.tuning };
  const own = regions.find(({ region }) => region === home);
  if (own === undefined) throw new Error(`region ${home} has no Kafka among the configured regions`);

  const publisher = createPublisher({ region: own, clientId, tuning, metrics, log });
  const deadLetters = createDeadLetters({ publisher, tuning, metrics, log });
  const admins = new Map(
    regions.map((each) => [each.region, createKafkaAdmin(each, { clientId, tuning, log })]),
  );
  const adminOf = ({ region }: KafkaRegion) => admins.get(region) as ReturnType<typeof createKafkaAdmin>;
  const members = new Set<() => Promise<void>>();
  const leaving = new Set<Promise<void>>();
  let lags: readonly LagMonitor[] = [];
  let generations = 0;
  let closing: Promise<void> | undefined;

  const encode = (events: readonly DeliveryEvent[]): readonly OutgoingRecord[] =>
    encodeEvents(events, placement, metrics.messageStages.traceparent);

  function watchLag(): void {
    if (lags.length > 0) return;
    lags = regions.map((each) =>
      createLagMonitor({
        region: each.region,
        home,
        admin: adminOf(each),
        everyMs: tuning.lagMs,
        metrics,
        log,
      }),
    );
  }

  async function close(): Promise<void> {
    for (const monitor of lags) monitor.stop();
    await Promise.all([...members].map((leave) => leave()));
    await Promise.all(leaving);
    deadLetters.close();
    await publisher.close();
    await Promise.all([...admins.values()].map((admin) => admin.close()));
  }

  return {
    capacity: tuning.waitingRecords,
    publish: (events, done) => publisher.publish(encode(events), done),
    publishTransient: (events) => publisher.publishTransient(encode(events)),
    join(consumer): QueueMembership {
      const consumers: readonly RegionConsumer[] = regions.map((each, index) =>
        createRegionConsumer({
          region: each,
          home,
          clientId,
          consumer,
          numberOf: (partition) => index * PARTITIONS_PER_REGION + partition,
          nextGeneration: () => ++generations,
          deadLetters,
          tuning,
          metrics,
          log,
        }),
      );
      watchLag();
      let left: Promise<void> | undefined;
      const leave = (): Promise<void> => {
        members.delete(leave);
        left ??= Promise.all(consumers.map((each) => each.leave())).then(() => undefined);
        leaving.add(left);
        return left;
      };
      members.add(leave);
      return {
        commit(number, generation, offset) {
          const index = Math.floor(number / PARTITIONS_PER_REGION);
          consumers[index]?.commit(number % PARTITIONS_PER_REGION, generation, offset);
        },
        pause: () => consumers.forEach((each) => each.pause()),
        resume: () => consumers.forEach((each) => each.resume()),
        leave: () => {
          leave().catch(() => undefined);
        },
      };
    },
    depth: () => publisher.waiting + lags.reduce((sum, monitor) => sum + monitor.lag, 0),
    async ping() {
      const needed = [...regions.map(({ region }) => deliverTopic(region)), DEAD_TOPIC];
      const topics = await adminOf(own)
        .ask((kafka) => kafka.listTopics())
        .catch((error: unknown) => {
          const brokers = own.brokers.join(', ');
          throw new Error(
            `Kafka of region ${home} (${brokers}) does not answer: ${(error as Error).message}`,
          );
        });
      const missing = needed.filter((topic) => !topics.includes(topic));
      if (missing.length > 0)
        throw new Error(`Kafka of region ${home} lacks ${missing.join(', ')}: run parley migrate`);
    },
    close() {
      closing ??= close();
      closing.catch(() => undefined);
    },
    drain: () => (closing ??= close()),
  };
}
