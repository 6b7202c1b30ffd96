import type { Cluster, Redis } from 'ioredis';

/**
 * Notices that other servers answer than before: a failover, a restart, slots that moved. What pushes were marked as given
 * up on the former server may be unknown to the new one, so sessions must look for what they missed.
 */
export interface ServerChanges {
  /** A connection to this server was made. */
  onReady(server: Redis): void;
  /** Compares the owners of a cluster's slots whenever they were read. */
  followSlots(cluster: unknown): void;
  /** @returns a function that ends it. */
  listen(listener: () => void): () => void;
}

export function createServerChanges(): ServerChanges {
  const runs = new Map<string, string>();
  const listeners = new Set<() => void>();
  const tell = (): void => listeners.forEach((listener) => listener());

  return {
    onReady(server) {
      const address = `${server.options.host}:${server.options.port}`;
      server.info('server').then(
        (text) => {
          const run = /^run_id:(\w+)/m.exec(text)?.[1] ?? '';
          const before = runs.get(address);
          runs.set(address, run);
          if (before !== undefined && before !== run) tell();
        },
        () => undefined, // Gone again; the next connection asks anew.
      );
    },
    followSlots(cluster) {
      let owners: readonly (string | undefined)[] | undefined;
      (cluster as Cluster).on('refresh', () => {
        const now = (cluster as Cluster).slots.map((nodes) => nodes[0]);
        const moved = owners?.some((owner, slot) => owner !== now[slot]) === true;
        owners = now;
        if (moved) tell();
      });
    },
    listen(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
