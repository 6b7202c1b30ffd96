import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { nodeId, type NodeId } from '../../../../core/contract/ids.ts';
import { onePlacement, type Placement } from '../../../../core/contract/placement.ts';
import { createMetrics, type Metrics } from '../../../observability/metrics.ts';
import type { NodeRole } from '../../../ports/node-directory.ts';
import { nameOf } from '../../../ports/process-id.ts';
import { createMemoryNodeDirectory, type SharedNodes } from '../../memory/node-directory-memory.ts';
import { makeDevelopmentCertificates } from '../development-certificates.ts';
import { DEFAULT_LINK_LIMITS, type LinkLimits } from '../link-limits.ts';
import type { LinkSecurity } from '../link-security.ts';
import { startGrpcNodeLinks, type GrpcLinksOptions, type GrpcNodeLinks } from '../node-links-grpc.ts';

/** Certificates in a folder of their own, a directory, and processes that share both. For tests. */
export interface LinkRig {
  readonly nodes: SharedNodes;
  readonly folder: string;
  /** Starts the links of one process; its name is everything before the dot. */
  start(id: string, role: NodeRole, options?: RigOptions): Promise<GrpcNodeLinks>;
  security(name: string, role: NodeRole): Promise<LinkSecurity>;
  /** @returns the value of a metric of these links. */
  metric(links: GrpcNodeLinks, name: string): Promise<number>;
  close(): Promise<void>;
}

export interface RigOptions
  extends Partial<Pick<GrpcLinksOptions, 'advertise' | 'security' | 'placement' | 'directory'>> {
  readonly region?: string;
  /** A free one when undefined. */
  readonly port?: number;
  readonly limits?: Partial<LinkLimits>;
}

export function createLinkRig(shared: { readonly placement?: Placement } = {}): LinkRig {
  const folder = mkdtempSync(join(tmpdir(), 'parley-links-'));
  const nodes = createMemoryNodeDirectory();
  const started = new Map<GrpcNodeLinks, Metrics>();
  const security = async (name: string, role: NodeRole): Promise<LinkSecurity> => {
    const files = await makeDevelopmentCertificates({ folder, nodes: [{ name, role }], now: Date.now() });
    const own = files.get(name);
    if (own === undefined) throw new Error(`no certificate for ${name}`);
    return { kind: 'mutual-tls', ...own };
  };
  return {
    nodes,
    folder,
    security,
    async start(id, role, options = {}) {
      const process: NodeId = nodeId(id);
      const metrics = createMetrics(false);
      const links = await startGrpcNodeLinks({
        self: { nodeId: process, role, region: options.region ?? 'one', version: 'test' },
        listen: { host: '127.0.0.1', port: options.port ?? 0 },
        advertise: options.advertise,
        security: options.security ?? (await security(nameOf(process), role)),
        directory: options.directory ?? nodes.join(),
        placement: options.placement ?? shared.placement ?? onePlacement('one'),
        metrics,
        log: pino({ level: 'silent' }),
        limits: { ...DEFAULT_LINK_LIMITS, ...options.limits },
      });
      started.set(links, metrics);
      return links;
    },
    async metric(links, name) {
      const line = (await started.get(links)?.text())
        ?.split('\n')
        .find((each) => each.startsWith(`${name} `));
      return Number(line?.slice(name.length + 1));
    },
    async close() {
      await Promise.all([...started.keys()].map((links) => links.close()));
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
