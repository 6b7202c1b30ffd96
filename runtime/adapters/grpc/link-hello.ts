import type { NodeId } from '../../../core/contract/ids.ts';
import { NODE_ROLES, type NodeRole } from '../../ports/node-directory.ts';
import { isProcessId, nameOf } from '../../ports/process-id.ts';
import { TAG } from './link-items.ts';
import type { PeerIdentity } from './link-identity.ts';

/** The version of the link protocol that this process speaks, and the oldest that it still understands. */
export const LINK_VERSION = 1;
export const OLDEST_LINK_VERSION = 1;

/** The first item that each end says; nothing else is read before it. */
export interface Hello {
  readonly nodeId: NodeId;
  readonly role: NodeRole;
  readonly version: number;
  readonly oldest: number;
}

export function encodeHello(self: { readonly nodeId: NodeId; readonly role: NodeRole }): string {
  return JSON.stringify([
    [TAG.hello, { nodeId: self.nodeId, role: self.role, version: LINK_VERSION, oldest: OLDEST_LINK_VERSION }],
  ]);
}

export type HelloVerdict =
  | { readonly ok: true; readonly hello: Hello }
  | { readonly ok: false; readonly reason: 'hello' | 'version'; readonly message: string };

/**
 * @param proven what the peer's certificate says; undefined on plaintext links of tests, where names are taken on trust.
 */
export function judgeHello(message: string, proven: PeerIdentity | undefined): HelloVerdict {
  const refuse = (text: string, reason: 'hello' | 'version' = 'hello'): HelloVerdict => ({
    ok: false,
    reason,
    message: text,
  });
  const fields = helloFields(message);
  if (fields === undefined) return refuse('the first message must begin with ["hello", {…}]');
  const { nodeId, role, version, oldest } = fields;
  if (typeof nodeId !== 'string' || !isProcessId(nodeId))
    return refuse('hello.nodeId: must be <name>.<run>, as gateway-1.57');
  const known = NODE_ROLES.find((each) => each === role);
  if (known === undefined) return refuse(`hello.role: must be one of ${NODE_ROLES.join(', ')}`);
  if (!Number.isSafeInteger(version) || !Number.isSafeInteger(oldest))
    return refuse('hello.version and hello.oldest: must be whole numbers');
  if (proven !== undefined && (nameOf(nodeId) !== proven.name || known !== proven.role)) {
    return refuse(
      `hello: says ${known} ${nameOf(nodeId)}, the certificate says ${proven.role} ${proven.name}`,
    );
  }
  if ((version as number) < OLDEST_LINK_VERSION || (oldest as number) > LINK_VERSION) {
    return refuse(
      `hello.version: this process speaks ${OLDEST_LINK_VERSION} to ${LINK_VERSION}, the peer ${String(oldest)} to ${String(version)}: upgrade one version at a time`,
      'version',
    );
  }
  return {
    ok: true,
    hello: { nodeId, role: known, version: version as number, oldest: oldest as number },
  };
}

function helloFields(message: string): Record<string, unknown> | undefined {
  let items: unknown;
  try {
    items = JSON.parse(message);
  } catch {
    return undefined;
  }
  const first: unknown = Array.isArray(items) ? items[0] : undefined;
  if (!Array.isArray(first) || first[0] !== TAG.hello) return undefined;
  const fields: unknown = first[1];
  return typeof fields === 'object' && fields !== null ? (fields as Record<string, unknown>) : undefined;
}
