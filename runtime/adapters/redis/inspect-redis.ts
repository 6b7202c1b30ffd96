import { Cluster, Redis } from 'ioredis';
import type { RedisEndpoint } from './redis-endpoint.ts';

/** What one Redis server says about itself, for people who look for a fault. */
export interface RedisReport {
  readonly address: string;
  readonly version: string;
  /** `master` takes writes. */
  readonly role: string;
  readonly usedBytes: number;
  /** 0 for no limit. */
  readonly maxBytes: number;
  /** What it throws away when it is full; `noeviction` throws nothing away and refuses writes. */
  readonly evictionPolicy: string;
  /** The server's clock minus this machine's, milliseconds. */
  readonly clockAheadMs: number;
  readonly roundTripMs: number;
}

/**
 * Asks a Redis, or each master of a Redis Cluster.
 * @throws Error when it does not answer in time, or a cluster is not whole.
 */
export async function inspectRedis(
  endpoint: RedisEndpoint,
  timeoutMs: number,
): Promise<readonly RedisReport[]> {
  const { username, password, tls } = endpoint;
  const common = {
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(tls === true ? { tls: {} } : {}),
    connectTimeout: timeoutMs,
    commandTimeout: timeoutMs,
    maxRetriesPerRequest: 0,
  };
  if (endpoint.kind === 'single') {
    const { host, port, database = 0 } = endpoint;
    const client = new Redis({
      ...common,
      host,
      port,
      db: database,
      lazyConnect: true,
      retryStrategy: () => null,
    });
    let reason: Error | undefined;
    client.on('error', (error: Error) => (reason ??= error));
    try {
      await client.connect();
      return [await report(client)];
    } catch (error) {
      throw reason ?? error;
    } finally {
      client.disconnect();
    }
  }
  const client = new Cluster([...endpoint.nodes], {
    redisOptions: common,
    lazyConnect: true,
    clusterRetryStrategy: () => null,
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
    const info = await client.cluster('INFO');
    const state = fieldOf(info, 'cluster_state');
    if (state !== 'ok') throw new Error(`cluster_state is ${state}: some hash slots have no server`);
    return await Promise.all(client.nodes('master').map(report));
  } finally {
    client.disconnect();
  }
}

async function report(client: Redis): Promise<RedisReport> {
  const info = await client.info();
  const asked = Date.now();
  // Texts, whatever the types of ioredis say.
  const time: readonly unknown[] = await client.time();
  const [seconds = NaN, microseconds = NaN] = time.map(Number);
  const answered = Date.now();
  return {
    address: `${client.options.host}:${client.options.port}`,
    version: fieldOf(info, 'redis_version'),
    role: fieldOf(info, 'role'),
    usedBytes: Number(fieldOf(info, 'used_memory')),
    maxBytes: Number(fieldOf(info, 'maxmemory')),
    evictionPolicy: fieldOf(info, 'maxmemory_policy'),
    clockAheadMs: Math.round(seconds * 1_000 + microseconds / 1_000 - (asked + answered) / 2),
    roundTripMs: answered - asked,
  };
}

function fieldOf(info: string, name: string): string {
  return new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info)?.[1] ?? '';
}
