import { clickhouseEngine } from './clickhouse.ts';
import type { Engine } from './engine.ts';
import { kafkaEngine } from './kafka.ts';
import { type PostgresSource, postgresEngine, postgresUrl } from './postgres.ts';
import { redisClusterEngine, redisEngine } from './redis.ts';
import { S3_LOGIN, s3Engine } from './s3.ts';
import type { ServiceState } from './service-state.ts';
import { temporalEngine } from './temporal.ts';

/** Which engines there are and on which ports of this machine, for a number of regions. */
export interface EnginePlan {
  readonly engines: readonly Engine[];
  readonly addresses: Omit<ServiceState, 'version' | 'processes' | 'portOffset'>;
}

export const REGION_NAMES = ['eu', 'us'] as const;
const SHARDS = 2;

export interface PlanOptions {
  /** Complete sets of PostgreSQL, Redis and Kafka. */
  readonly regions: number;
  /** Added to every port, so that a second set can run beside the first. */
  readonly portOffset: number;
  /** Of new databases. Default: Debian's. */
  readonly postgres?: PostgresSource | undefined;
}

export function planEngines({ regions, portOffset, postgres }: PlanOptions): EnginePlan {
  const names = REGION_NAMES.slice(0, regions);
  const port = (base: number): number => base + portOffset;
  const shardPort = (region: number, shard: number): number => port(5_540 + 10 * region + shard);
  const cluster = [6_400, 6_401, 6_402].map(port);
  const engines = names.flatMap((name, i) => [
    ...Array.from({ length: SHARDS }, (_, k) =>
      postgresEngine(`postgres-${name}-${k + 1}`, shardPort(i, k), postgres),
    ),
    redisEngine(`redis-${name}`, port(6_390 + i)),
    kafkaEngine(`kafka-${name}`, port(9_192 + i), port(9_292 + i)),
  ]);
  return {
    engines: [
      ...engines,
      ...cluster.map((each, i) => redisClusterEngine(`redis-cluster-${i + 1}`, each, cluster)),
      temporalEngine('temporal', port(7_244)),
      clickhouseEngine('clickhouse', port(8_124)),
      s3Engine('s3', port(9_444)),
    ],
    addresses: {
      regions: names.map((name, i) => ({
        name,
        postgres: Array.from({ length: SHARDS }, (_, k) => postgresUrl(shardPort(i, k))),
        redis: `redis://127.0.0.1:${port(6_390 + i)}`,
        kafka: [`127.0.0.1:${port(9_192 + i)}`],
      })),
      redisCluster: cluster.map((each) => `127.0.0.1:${each}`),
      temporal: `127.0.0.1:${port(7_244)}`,
      clickhouse: `http://127.0.0.1:${port(8_124)}`,
      s3: { endpoint: `http://127.0.0.1:${port(9_444)}`, ...S3_LOGIN },
    },
  };
}
