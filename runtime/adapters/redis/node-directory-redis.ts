import type { Logger } from 'pino';
import type { NodeId } from '../../../core/contract/ids.ts';
import type { Metrics } from '../../observability/metrics.ts';
import type { NodeDirectory, NodeRecord } from '../../ports/node-directory.ts';
import { encodeNodeRecord } from './node-record.ts';
import type { RedisEndpoint } from './redis-endpoint.ts';
import { RegionalNodes, type DirectoryTimes, type OwnEntry } from './regional-nodes.ts';

export interface RedisNodeDirectoryOptions {
  /** Every region's Redis, this one's included. */
  readonly regions: readonly { readonly region: string; readonly endpoint: RedisEndpoint }[];
  /** The region of this process: it is announced there. */
  readonly region: string;
  /** Names the connections in `CLIENT LIST`. */
  readonly name: string;
  readonly metrics: Metrics;
  readonly log: Logger;
  readonly times?: DirectoryTimes;
}

const DEFAULT_TIMES: DirectoryTimes = {
  heartbeatMs: 2_000,
  ttlMs: 8_000,
  rememberMs: 600_000,
  fullEvery: 30,
};
/** Two nodes that are looked for in the same moment are one look. */
const SEEK_MS = 100;

/**
 * The node directory: each process writes itself into its own region's Redis with every heartbeat and reads what changed
 * in all of them (node-directory-script.ts). A Redis that is away or lost everything changes nothing for a while: what
 * was read last is believed, and every node writes itself again with its next heartbeat.
 */
export function createRedisNodeDirectory(options: RedisNodeDirectoryOptions): NodeDirectory {
  const { region, name, metrics, log } = options;
  const times = options.times ?? DEFAULT_TIMES;
  const listeners = new Set<() => void>();
  let view: ReadonlyMap<NodeId, NodeRecord> = new Map();
  let own: OwnEntry;
  let seeking: NodeJS.Timeout | undefined;

  const readAll = (): void => {
    view = mergeNodes(regions);
    for (const listener of listeners) listener();
  };
  const beat = (nodes: RegionalNodes): void => void nodes.beat(nodes.region === region ? own : undefined);
  const regions: readonly RegionalNodes[] = options.regions.map(({ region: each, endpoint }) => {
    const nodes: RegionalNodes = new RegionalNodes({
      region: each,
      endpoint,
      name,
      times,
      log,
      changed: readAll,
      ready: () => beat(nodes),
    });
    return nodes;
  });
  const home = regions.find((each) => each.region === region);
  if (home === undefined) throw new Error(`region ${region} has no redis among those of the node directory`);
  const heart = setInterval(() => regions.forEach(beat), times.heartbeatMs).unref();

  async function withdraw(): Promise<void> {
    if (own === undefined) return;
    const gone: OwnEntry = { nodeId: own.nodeId, record: '' };
    own = undefined;
    await (home as RegionalNodes).beatAfter(gone);
  }

  metrics.gauge('parley_nodes', 'Processes in the node directory, all regions', () => view.size);
  metrics.gauge('parley_node_directory_age_seconds', 'Since the region that is silent longest answered', () =>
    Math.max(...regions.map((each) => each.ageMs / 1e3)),
  );

  return {
    announce(record) {
      own = { nodeId: record.nodeId, record: encodeNodeRecord(record) };
      home.beatAfter(own).catch((error: unknown) => log.error({ err: error }, 'a heartbeat is broken'));
    },
    withdraw,
    view: () => view,
    onChange(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    seek() {
      seeking ??= setTimeout(() => {
        seeking = undefined;
        regions.forEach(beat);
      }, SEEK_MS).unref();
    },
    async close() {
      await withdraw();
      clearInterval(heart);
      clearTimeout(seeking);
      for (const each of regions) each.close();
    },
  };
}

/** A process that was started again has the address of its earlier run, whose entry lives on for a while: the younger one counts. */
function mergeNodes(regions: readonly RegionalNodes[]): ReadonlyMap<NodeId, NodeRecord> {
  const merged = new Map<NodeId, NodeRecord>();
  for (const { records } of regions) {
    const byAddress = new Map<string, NodeRecord>();
    for (const record of records) {
      const other = byAddress.get(record.address);
      if (other === undefined || other.startedAt < record.startedAt) byAddress.set(record.address, record);
    }
    for (const record of byAddress.values()) merged.set(record.nodeId, record);
  }
  return merged;
}
