import { startRedisCluster, type RedisClusterUnderTest } from '../../adapters/redis/testing/redis-cluster.ts';
import { startRedisServer, type RedisServer } from '../../adapters/redis/testing/redis-server.ts';

/** The servers that scripts run on, one script after the other; a cluster is started when a script first asks for one. */
export interface RedisRig {
  readonly primary: RedisServer;
  readonly spare: RedisServer;
  readonly version: string;
  cluster(): Promise<RedisClusterUnderTest>;
  close(): Promise<void>;
}

/** Two seconds without a word from the primary, and a replica counts as gone. */
const REPLICA_OPTIONS = ['--repl-diskless-sync-delay', '0', '--repl-ping-replica-period', '1'];

/** @throws Error when there is no redis-server. */
export async function openRedisRig(): Promise<RedisRig> {
  const [primary, spare] = await Promise.all([
    startRedisServer(...REPLICA_OPTIONS),
    startRedisServer(...REPLICA_OPTIONS),
  ]);
  const version = /^redis_version:(\S+)/m.exec(await primary.admin.info('server'))?.[1] ?? 'unknown';
  let cluster: Promise<RedisClusterUnderTest> | undefined;
  return {
    primary,
    spare,
    version,
    cluster: () => (cluster ??= startRedisCluster(3)),
    async close() {
      await Promise.all([primary.stop(), spare.stop(), cluster?.then((started) => started.stop())]);
    },
  };
}
