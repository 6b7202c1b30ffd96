import type { NodeRole } from '../../ports/node-directory.ts';
import type { ItemKind } from './link-counters.ts';

/** What each role has to say. A process that was taken over cannot speak for other roles. */
const SAYS: Readonly<Record<NodeRole, ReadonlySet<ItemKind>>> = {
  gateway: new Set(['request', 'push-result', 'evict', 'leaving']),
  'http-api': new Set(['request', 'leaving']),
  'message-service': new Set(['reply', 'hint', 'leaving']),
  'outbox-relay': new Set(['leaving']),
  'delivery-worker': new Set(['push', 'leaving']),
  all: new Set(['request', 'reply', 'push', 'push-result', 'evict', 'hint', 'leaving']),
};

export function maySay(role: NodeRole, kind: ItemKind): boolean {
  return SAYS[role].has(kind);
}
