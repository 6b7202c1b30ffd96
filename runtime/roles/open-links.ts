import type { Logger } from 'pino';
import type { NodeId } from '../../core/contract/ids.ts';
import { startGrpcNodeLinks } from '../adapters/grpc/node-links-grpc.ts';
import { createRedisNodeDirectory } from '../adapters/redis/node-directory-redis.ts';
import type { Config } from '../config/load-config.ts';
import type { ReadinessCheck } from '../http-api/probe-routes.ts';
import type { Metrics } from '../observability/metrics.ts';
import { VERSION } from '../observability/version.ts';
import type { NodeRole } from '../ports/node-directory.ts';
import type { NodeLinks } from '../ports/node-links.ts';
import { redisEndpoint } from './engine-addresses.ts';
import { holdAnnouncement } from './held-directory.ts';
import { stagesOf } from './role-stages.ts';

/** How one process reaches the others, and they it. */
export interface RoleLinks {
  readonly links: NodeLinks;
  /** Where others reach this process: `host:port`. */
  readonly address: string;
  readonly checks: readonly ReadinessCheck[];
  /** From here on others may send work. */
  show(): void;
  /** Nobody sends new work any more; what is under way goes on. */
  leave(): Promise<void>;
  close(): Promise<void>;
}

export interface RoleLinksOptions {
  readonly config: Config;
  readonly role: NodeRole;
  readonly self: NodeId;
  readonly metrics: Metrics;
  readonly log: Logger;
}

/** @throws Error when the certificate cannot be used or the port cannot be had. */
export async function openLinks({ config, role, self, metrics, log }: RoleLinksOptions): Promise<RoleLinks> {
  const { region, regions, placement, nodeName: name } = config;
  const { host, port, advertise, tls } = config.links;
  const directory = holdAnnouncement(
    createRedisNodeDirectory({
      regions: regions.map((each) => ({ region: each.name, endpoint: redisEndpoint(each.redis) })),
      region,
      name,
      metrics,
      log,
    }),
  );
  try {
    const links = await startGrpcNodeLinks({
      self: { nodeId: self, role, region, version: VERSION },
      listen: { host, port },
      advertise,
      security: { kind: 'mutual-tls', authority: tls.ca, certificate: tls.cert, key: tls.key },
      directory,
      placement,
      metrics,
      log,
    });
    const asks = stagesOf(role).includes('http-api') && role !== 'all';
    return {
      links,
      address: links.address,
      checks: asks ? [messageServiceKnown(region, () => directory.view())] : [],
      show: () => directory.release(),
      leave: () => links.leave(),
      async close() {
        await links.close();
        await directory.close();
      },
    };
  } catch (error) {
    await directory.close();
    throw error;
  }
}

type View = ReturnType<typeof createRedisNodeDirectory>['view'];

/** Without one nothing that this process takes can be acknowledged; reading goes on. */
function messageServiceKnown(region: string, view: View): ReadinessCheck {
  return {
    name: `message services of ${region}`,
    needed: 'start',
    check() {
      const known = [...view().values()].some(
        (node) => node.region === region && (node.role === 'message-service' || node.role === 'all'),
      );
      return known ? Promise.resolve() : Promise.reject(new Error('the node directory knows none'));
    },
  };
}
