import type { NodeId } from '../../core/contract/ids.ts';

export const NODE_ROLES = [
  'gateway',
  'message-service',
  'outbox-relay',
  'delivery-worker',
  'http-api',
  'all',
] as const;
export type NodeRole = (typeof NODE_ROLES)[number];

/** One process, as it tells the others about itself. */
export interface NodeRecord {
  /** The process: `<name>.<run>`; see `process-id.ts`. */
  readonly nodeId: NodeId;
  readonly role: NodeRole;
  readonly region: string;
  /** Where its links listen: `host:port`. */
  readonly address: string;
  /** Of Parley, for people; links agree on their own version in their hello. */
  readonly version: string;
  /** Milliseconds since the epoch, on the node's own clock. */
  readonly startedAt: number;
}

/**
 * Which processes live, and where their links listen. A hint, never a truth: an entry may be stale or missing, and is
 * believed only as far as a mutually authenticated connection confirms it.
 */
export interface NodeDirectory {
  /** Makes this process known in its own region and keeps it so until `withdraw`. */
  announce(record: NodeRecord): void;
  /** Takes this process out. Resolves also when nobody could be told: the entry then expires. */
  withdraw(): Promise<void>;
  /** Every region's nodes, as last seen. The same object until something changes. */
  view(): ReadonlyMap<NodeId, NodeRecord>;
  /** Calls after each change of the view. @returns a function that ends it. */
  onChange(listener: () => void): () => void;
  /** Somebody named a node that the view lacks: reads again soon. May be called at any rate. */
  seek(): void;
  close(): Promise<void>;
}
