import { join } from 'node:path';
import { SLOTS, type ShardPlan } from '../../core/contract/placement.ts';
import type { LinkFiles } from '../adapters/grpc/link-security.ts';
import type { NodeRole } from '../ports/node-directory.ts';
import type { ServiceRegion } from '../deploy/services/service-state.ts';

/** One process of a development cluster. */
export interface PlannedProcess {
  /** As in its certificate: `gateway-1.eu`. */
  readonly name: string;
  readonly role: NodeRole;
  readonly region: string;
  readonly httpPort: number;
  readonly linkPort: number;
}

export interface ClusterPlan {
  readonly folder: string;
  readonly regions: readonly string[];
  /** By region. */
  readonly engines: readonly ServiceRegion[];
  /** A name in every PostgreSQL; and a number in every Redis. */
  readonly database: string;
  readonly redisDatabase: number;
  /** Of a Redis Cluster that every region uses instead of its own Redis. */
  readonly redisNodes?: readonly string[] | undefined;
  readonly processes: readonly PlannedProcess[];
  /** Keys of the configuration that differ from the default. */
  readonly overrides: Readonly<Record<string, unknown>>;
}

export interface ClusterPlanOptions {
  readonly folder: string;
  readonly regions: readonly string[];
  readonly engines: readonly ServiceRegion[];
  readonly database: string;
  readonly redisDatabase: number;
  readonly redisNodes?: readonly string[] | undefined;
  /** Ports follow from it: 100 a region for HTTP, and as many 10,000 above for links. */
  readonly basePort: number;
  readonly counts?: Partial<Record<NodeRole, number>>;
  readonly overrides?: Readonly<Record<string, unknown>>;
}

/** How many of each a region has, and where their ports begin within the region's hundred. */
const ROLES: readonly (readonly [role: NodeRole, count: number, offset: number])[] = [
  ['gateway', 2, 1],
  ['http-api', 1, 11],
  ['message-service', 2, 21],
  ['outbox-relay', 2, 31],
  ['delivery-worker', 2, 41],
  ['all', 0, 51],
];
/** The port of a process's links is so far above that of its HTTP side. */
export const LINKS_ABOVE = 10_000;

export function planCluster(options: ClusterPlanOptions): ClusterPlan {
  const { regions, basePort, counts = {}, overrides = {} } = options;
  const processes = regions.flatMap((region, i) =>
    ROLES.flatMap(([role, usual, offset]) =>
      Array.from({ length: counts[role] ?? usual }, (_, k): PlannedProcess => {
        const httpPort = basePort + 100 * i + offset + k;
        return {
          name: `${role}-${k + 1}.${region}`,
          role,
          region,
          httpPort,
          linkPort: httpPort + LINKS_ABOVE,
        };
      }),
    ),
  );
  return { ...options, processes, overrides };
}

export interface PlannedShard extends ShardPlan {
  readonly url: string;
}

/** @returns the shards of all regions, in the order of the map: each has as many slots as the others, or one more. */
export function shardsOf({ regions, engines, database }: ClusterPlan): readonly PlannedShard[] {
  const count = engines.reduce((sum, { postgres }) => sum + postgres.length, 0);
  const firstSlot = (shard: number): number => Math.floor((shard * SLOTS) / count);
  let next = 0;
  return engines.flatMap(({ postgres }, i) =>
    postgres.map((server, k) => {
      const shard = next++;
      const url = new URL(server);
      url.pathname = `/${database}`;
      const region = regions[i] as string;
      const slots = [[firstSlot(shard), firstSlot(shard + 1) - 1]] as const;
      return { name: `${region}-${k}`, region, url: url.href, slots };
    }),
  );
}

/** @returns the configuration of one process, as its file holds it. */
export function configOf(plan: ClusterPlan, process: PlannedProcess, certificate: LinkFiles): object {
  const { folder, regions, engines, redisDatabase, redisNodes, overrides } = plan;
  const shards = shardsOf(plan);
  return {
    nodeName: process.name,
    region: process.region,
    http: { port: process.httpPort },
    links: {
      port: process.linkPort,
      tls: { cert: certificate.certificate, key: certificate.key, ca: certificate.authority },
    },
    tokens: { development: { secretFile: join(folder, 'development-secret') } },
    regions: engines.map(({ redis, kafka }, i) => ({
      name: regions[i],
      postgres: {
        shards: shards
          .filter(({ region }) => region === regions[i])
          .map(({ name, url, slots }) => ({ name, url, slots })),
      },
      // One broker a region: there is nobody to copy to.
      kafka: { brokers: kafka, partitions: 6, replicationFactor: 1, minInsyncReplicas: 1 },
      redis: redisNodes === undefined ? { url: `${redis}/${redisDatabase}` } : { nodes: redisNodes },
    })),
    media: { kind: 'filesystem', folder: join(folder, 'media') },
    drain: { timeoutMs: 10_000 },
    // Nobody waits long for a cluster on his own machine to end.
    limits: { drainSpread: 500_000, drainTimeout: 3_000_000 },
    ...overrides,
  };
}
