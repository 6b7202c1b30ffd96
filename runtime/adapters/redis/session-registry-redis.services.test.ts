import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, test } from 'vitest';
import { userId, type UserId } from '../../../core/contract/ids.ts';
import { createLogger } from '../../observability/logger.ts';
import { createMetrics } from '../../observability/metrics.ts';
import type { SessionRegistry } from '../../ports/session-registry.ts';
import type { RegistrySubject } from './contract/registry-under-test.ts';
import type { RedisEndpoint } from './redis-endpoint.ts';
import { sessionRegistryContract } from './session-registry.contract.ts';
import { openRedisSessionRegistry } from './session-registry-redis.ts';
import { startRedisCluster, type RedisClusterUnderTest } from './testing/redis-cluster.ts';
import { startRedisServer, type RedisServer } from './testing/redis-server.ts';
import { until } from './testing/until.ts';

const log = createLogger('silent', 'test');
const open = (endpoint: RedisEndpoint): SessionRegistry =>
  openRedisSessionRegistry({ endpoint, region: 'test', name: 'test', metrics: createMetrics(false), log });

/** Asks the servers who subscribes, since a subscription takes effect a little later. */
const subscribed =
  (admins: () => readonly Redis[]) =>
  (user: UserId): Promise<void> =>
    until(`somebody subscribes to ${user}`, async () => {
      for (const admin of admins()) {
        const [, count] = (await admin.call(
          'PUBSUB',
          'SHARDNUMSUB',
          `parley:presence:{${user}}`,
        )) as number[];
        if (count !== undefined && count > 0) return true;
      }
      return false;
    });

describe('one Redis', () => {
  let server: RedisServer;
  let subject: RegistrySubject;
  beforeAll(async () => {
    server = await startRedisServer();
    const registry = open(server.endpoint);
    subject = { registry, later: (ms) => sleep(ms), watching: subscribed(() => [server.admin]) };
    await until('it answers', () =>
      registry.ping().then(
        () => true,
        () => false,
      ),
    );
  });
  afterAll(async () => {
    subject.registry.close();
    await server.stop();
  });
  for (const { name, run } of sessionRegistryContract(() => subject)) test(name, run);
});

describe('a Redis Cluster', () => {
  let cluster: RedisClusterUnderTest;
  let subject: RegistrySubject;
  beforeAll(async () => {
    cluster = await startRedisCluster();
    const registry = open(cluster.endpoint);
    const watching = subscribed(() => cluster.primaries.map(({ admin }) => admin));
    subject = { registry, later: (ms) => sleep(ms), watching };
    await until('every node answers', () => allAnswer(registry));
  });
  afterAll(async () => {
    subject.registry.close();
    await cluster.stop();
  });
  for (const { name, run } of sessionRegistryContract(() => subject)) test(name, run);
});

/** Of users who are spread over the nodes. */
function allAnswer(registry: SessionRegistry): Promise<boolean> {
  const users = Array.from({ length: 64 }, (_, i) => userId(`u_${i}`));
  return new Promise((resolve) =>
    registry.lookup(users, (found) => resolve(!(found ?? [undefined]).includes(undefined))),
  );
}
