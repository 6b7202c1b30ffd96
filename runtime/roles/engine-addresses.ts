import type { KafkaRegion } from '../adapters/kafka/kafka-options.ts';
import type { ShardAddress } from '../adapters/postgres/sharded-message-store.ts';
import type { RedisEndpoint } from '../adapters/redis/redis-endpoint.ts';
import type { RedisConfig, RegionConfig } from '../config/regions-schema.ts';

/** The configuration's engines, as each adapter wants to be told. */

const REDIS_PORT = 6_379;

export function redisEndpoint(redis: RedisConfig): RedisEndpoint {
  if (redis.url === undefined) {
    const { nodes = [], username, password, tls } = redis;
    return { kind: 'cluster', nodes: nodes.map(addressOf), username, password, tls };
  }
  const url = new URL(redis.url);
  return {
    kind: 'single',
    host: url.hostname,
    port: url.port === '' ? REDIS_PORT : Number(url.port),
    username: url.username === '' ? undefined : decodeURIComponent(url.username),
    password: url.password === '' ? undefined : decodeURIComponent(url.password),
    tls: url.protocol === 'rediss:',
    database: url.pathname.length > 1 ? Number(url.pathname.slice(1)) : 0,
  };
}

function addressOf(hostPort: string): { readonly host: string; readonly port: number } {
  const colon = hostPort.lastIndexOf(':');
  return { host: hostPort.slice(0, colon).replace(/^\[|\]$/g, ''), port: Number(hostPort.slice(colon + 1)) };
}

type SASLOptions = Exclude<NonNullable<KafkaRegion['sasl']>, { readonly authenticationProvider: unknown }>;

export function kafkaRegion({ name, kafka }: RegionConfig): KafkaRegion {
  const { brokers, ssl, sasl } = kafka;
  const address = { region: name, brokers, ...(ssl && { ssl }) };
  if (sasl === undefined) return address;
  const { mechanism, username, password = '' } = sasl;
  // The type of kafkajs ties each mechanism to its own shape, and these three have the same.
  const login = { mechanism, username, password } as SASLOptions;
  return { ...address, sasl: login };
}

export function shardAddresses(regions: readonly RegionConfig[]): readonly ShardAddress[] {
  return regions.flatMap(({ postgres }) =>
    postgres.shards.map(({ name, url, replicaUrl }) => ({
      name,
      connectionString: url,
      ...(replicaUrl === undefined ? {} : { replicaConnectionString: replicaUrl }),
    })),
  );
}
