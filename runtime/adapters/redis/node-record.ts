import { NODE_ROLES, type NodeRecord } from '../../ports/node-directory.ts';
import { isProcessId } from '../../ports/process-id.ts';

export function encodeNodeRecord(record: NodeRecord): string {
  return JSON.stringify(record);
}

/** @returns undefined for what is no record of a node with that name, or has a role that only a newer version knows. */
export function decodeNodeRecord(nodeId: string, text: string): NodeRecord | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const { role: roleText, region, address, version, startedAt, ...others } = value as Record<string, unknown>;
  const role = NODE_ROLES.find((each) => each === roleText);
  const isRecord =
    others['nodeId'] === nodeId &&
    isProcessId(nodeId) &&
    role !== undefined &&
    typeof region === 'string' &&
    typeof address === 'string' &&
    /^[^\s/]+:[0-9]{1,5}$/.test(address) &&
    typeof version === 'string' &&
    Number.isFinite(startedAt);
  if (!isRecord) return undefined;
  return { nodeId, role, region, address, version, startedAt: startedAt as number };
}
