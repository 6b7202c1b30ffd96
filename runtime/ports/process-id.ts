import type { NodeId } from '../../core/contract/ids.ts';

/**
 * Names of nodes. A process is `<name>.<run>`: the name its certificate proves, and a number that no earlier start of
 * it had, so that nothing said to an earlier one reaches this one. A role inside a process of several is
 * `<name>.<run>/<role>`.
 */

/** @returns the process that a node runs in; itself for a process. */
export function processOf(node: NodeId): NodeId {
  const slash = node.indexOf('/');
  return slash === -1 ? node : (node.slice(0, slash) as NodeId);
}

/** @returns the name that the process's certificate proves: what comes before the last dot, '' without one. */
export function nameOf(node: NodeId): string {
  const process = processOf(node);
  return process.slice(0, Math.max(0, process.lastIndexOf('.')));
}

/** A name as it may stand in a certificate: a DNS label or several. */
export const NODE_NAME = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*$/;
/** @returns whether it is `<name>.<run>`, without a role. */
export function isProcessId(text: string): text is NodeId {
  const dot = text.lastIndexOf('.');
  return (
    text.length <= 253 && NODE_NAME.test(text.slice(0, dot)) && /^[0-9]{1,19}$/.test(text.slice(dot + 1))
  );
}
