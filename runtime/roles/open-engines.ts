import type { Logger } from 'pino';
import { createKafkaDeliveryQueue } from '../adapters/kafka/delivery-queue-kafka.ts';
import { postgresOutbox } from '../adapters/postgres/outbox-ownership.ts';
import { createShardedMessageStore } from '../adapters/postgres/sharded-message-store.ts';
import { createRegionalSessionRegistry } from '../adapters/redis/regional-session-registry.ts';
import { openRedisSessionRegistry } from '../adapters/redis/session-registry-redis.ts';
import type { Config } from '../config/load-config.ts';
import type { ReadinessCheck } from '../http-api/probe-routes.ts';
import type { Metrics } from '../observability/metrics.ts';
import { enginesOf, type PipelinePorts, type Stage } from '../pipeline-ports.ts';
import { storeMetrics } from '../server/store-metrics.ts';
import { kafkaRegion, redisEndpoint, shardAddresses } from './engine-addresses.ts';

/** The engines behind the stages of one process. */
export interface Engines {
  readonly ports: Omit<PipelinePorts, 'links'>;
  readonly checks: readonly ReadinessCheck[];
  /** Publishes and commits what is finished, then lets go of every connection. */
  close(): Promise<void>;
}

export interface EngineOptions {
  readonly config: Config;
  readonly stages: readonly Stage[];
  readonly metrics: Metrics;
  readonly log: Logger;
}

/**
 * Opens what the stages need and nothing else.
 * @throws StoreNotReadyError when a PostgreSQL of this region cannot be used. Redis and Kafka connect behind it.
 */
export async function openEngines(options: EngineOptions): Promise<Engines> {
  const { config, stages, metrics } = options;
  const { nodeName: name, regions, region, placement, limits } = config;
  const log = options.log;
  const needed = enginesOf(stages);
  const needsStore = needed.has('store') || needed.has('outboxes');

  const store = needsStore
    ? await createShardedMessageStore({
        placement,
        region,
        shards: shardAddresses(regions),
        limits,
        log,
        metrics: storeMetrics(metrics),
        onShardState: ({ name: shard, state, reason }) => log.info({ shard, state, reason }, 'shard'),
      })
    : undefined;
  const registry = needed.has('registry')
    ? createRegionalSessionRegistry({
        placement,
        ownRegion: region,
        registries: new Map(
          regions.map((each) => [
            each.name,
            openRedisSessionRegistry({
              endpoint: redisEndpoint(each.redis),
              region: each.name,
              name,
              metrics,
              log,
            }),
          ]),
        ),
      })
    : undefined;
  const queue = needed.has('queue')
    ? createKafkaDeliveryQueue({
        clientId: name,
        region,
        regions: regions.map(kafkaRegion),
        placement,
        metrics,
        log,
      })
    : undefined;
  const { messageDays } = config.retention;
  const keep = messageDays === undefined ? {} : { keepDays: messageDays };
  const outboxes = needed.has('outboxes')
    ? store?.localShards.map(({ name: shard, connectionString, store: own }) =>
        postgresOutbox({ shard, connectionString, store: own, log, ...keep }),
      )
    : undefined;

  const checks: ReadinessCheck[] = [];
  if (store !== undefined) {
    checks.push({ name: `PostgreSQL of ${region}`, needed: 'vital', check: () => store.ping() });
    for (const { name: shard, store: own } of store.localShards)
      checks.push({ name: `PostgreSQL shard ${shard}`, needed: 'start', check: () => own.ping() });
  }
  if (registry !== undefined) checks.push({ name: 'Redis', needed: 'start', check: () => registry.ping() });
  if (queue !== undefined)
    checks.push({ name: `Kafka of ${region}`, needed: 'start', check: () => queue.ping() });
  return {
    ports: { store, registry, queue, outboxes },
    checks,
    async close() {
      await queue?.drain();
      registry?.close();
      await store?.close();
    },
  };
}
