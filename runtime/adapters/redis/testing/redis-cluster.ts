import type { RedisEndpoint } from '../redis-endpoint.ts';
import { startRedisServer, type RedisServer } from './redis-server.ts';
import { until } from './until.ts';

export interface RedisClusterUnderTest {
  readonly endpoint: RedisEndpoint;
  /** Primaries, each with a third of the slots, in their order. */
  readonly primaries: readonly RedisServer[];
  /** One for each of the first `replicas` primaries. */
  readonly replicas: readonly RedisServer[];
  stop(): Promise<void>;
}

const SLOTS = 16_384;
const NODES = 3;
const NODE_OPTIONS = [
  ['--cluster-enabled', 'yes'],
  ['--cluster-node-timeout', '1000'],
  ['--cluster-replica-validity-factor', '0'],
].flat();

/** @param replicas how many of the three primaries have a replica. */
export async function startRedisCluster(replicas = 0): Promise<RedisClusterUnderTest> {
  const nodes = await Promise.all(
    Array.from({ length: NODES + replicas }, () => startRedisServer(...NODE_OPTIONS)),
  );
  const primaries = nodes.slice(0, NODES);
  const followers = nodes.slice(NODES);
  const [first] = primaries;
  for (const [i, { admin }] of primaries.entries()) {
    const from = Math.floor((i * SLOTS) / NODES);
    const to = Math.floor(((i + 1) * SLOTS) / NODES) - 1;
    await admin.call('CLUSTER', 'ADDSLOTSRANGE', from, to);
    await admin.call('CLUSTER', 'SET-CONFIG-EPOCH', i + 1);
  }
  for (const { admin } of nodes.slice(1))
    await admin.call('CLUSTER', 'MEET', '127.0.0.1', String(first?.port));
  await allAgree(nodes);
  for (const [i, { admin }] of followers.entries())
    await admin.call('CLUSTER', 'REPLICATE', String(await primaries[i]?.admin.call('CLUSTER', 'MYID')));
  for (const { admin } of followers) await replicates(admin);
  return {
    endpoint: {
      kind: 'cluster',
      nodes: primaries.map(({ port }) => ({ host: '127.0.0.1', port })),
    },
    primaries,
    replicas: followers,
    async stop() {
      await Promise.all(nodes.map((node) => node.stop()));
    },
  };
}

/** Every node takes the cluster for whole and knows every other. */
async function allAgree(nodes: readonly RedisServer[]): Promise<void> {
  for (const { admin } of nodes) {
    await until('the cluster is whole', async () => {
      const info = String(await admin.call('CLUSTER', 'INFO'));
      return info.includes('cluster_state:ok') && info.includes(`cluster_known_nodes:${nodes.length}`);
    });
  }
}

async function replicates(admin: RedisServer['admin']): Promise<void> {
  await until('the replica follows', async () =>
    (await admin.info('replication')).includes('master_link_status:up'),
  );
}
