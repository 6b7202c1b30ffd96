import type { NodeId } from '../../../core/contract/ids.ts';
import type { NodeDirectory, NodeRecord } from '../../ports/node-directory.ts';

/** Entries that the directories of one test share. */
export interface SharedNodes {
  /** A directory as one process sees it. */
  join(): NodeDirectory;
  /** Takes a node out, as when its entry expires. */
  expire(nodeId: NodeId): void;
}

export function createMemoryNodeDirectory(): SharedNodes {
  let view: ReadonlyMap<NodeId, NodeRecord> = new Map();
  const listeners = new Set<() => void>();
  const change = (edit: (next: Map<NodeId, NodeRecord>) => void): void => {
    const next = new Map(view);
    edit(next);
    view = next;
    for (const listener of listeners) listener();
  };
  const expire = (nodeId: NodeId): void => change((next) => next.delete(nodeId));

  return {
    expire,
    join() {
      let own: NodeId | undefined;
      const withdraw = (): Promise<void> => {
        if (own !== undefined) expire(own);
        own = undefined;
        return Promise.resolve();
      };
      return {
        announce(record) {
          own = record.nodeId;
          change((next) => next.set(record.nodeId, record));
        },
        withdraw,
        view: () => view,
        onChange(listener) {
          listeners.add(listener);
          return () => void listeners.delete(listener);
        },
        seek: () => undefined,
        close: withdraw,
      };
    },
  };
}
