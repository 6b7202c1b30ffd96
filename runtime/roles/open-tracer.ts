import type { NodeId } from '../../core/contract/ids.ts';
import type { Config } from '../config/load-config.ts';
import type { MessageTracer } from '../observability/message-tracer.ts';
import type { NodeRole } from '../ports/node-directory.ts';

/** @returns the tracer of a process; undefined when no traces are configured, and then its library is not loaded either. */
export async function openTracer(
  { observability, region }: Config,
  role: NodeRole,
  node: NodeId,
): Promise<MessageTracer | undefined> {
  const { traces } = observability;
  if (traces === undefined) return undefined;
  const { createMessageTracer } = await import('../observability/message-tracer.ts');
  return createMessageTracer({ ...traces, node, role, region });
}
