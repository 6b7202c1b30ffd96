import type { DeliveryQueue } from './ports/delivery-queue.ts';
import type { ChatStore } from './ports/message-store.ts';
import type { NodeLinks } from './ports/node-links.ts';
import type { Outbox } from './ports/outbox.ts';
import type { SessionRegistry } from './ports/session-registry.ts';

/** What a process may do on a message's way, in the order in which a message passes. */
export const STAGES = ['gateway', 'http-api', 'message-service', 'outbox-relay', 'delivery-worker'] as const;
export type Stage = (typeof STAGES)[number];

/** The engines behind the stages; a process opens those that its stages need. */
export interface PipelinePorts {
  readonly links: NodeLinks;
  readonly store?: ChatStore | undefined;
  /** Of this region's shards. */
  readonly outboxes?: readonly Outbox[] | undefined;
  readonly queue?: DeliveryQueue | undefined;
  readonly registry?: SessionRegistry | undefined;
}
export type EngineName = Exclude<keyof PipelinePorts, 'links'>;

const ENGINES_OF: Record<Stage, readonly EngineName[]> = {
  gateway: ['store', 'registry'],
  'http-api': ['store'],
  'message-service': ['store', 'queue'],
  'outbox-relay': ['outboxes', 'queue'],
  'delivery-worker': ['queue', 'registry'],
};

export function enginesOf(stages: readonly Stage[]): ReadonlySet<EngineName> {
  return new Set(stages.flatMap((stage) => ENGINES_OF[stage]));
}

/** @throws Error when the port was not opened: `ENGINES_OF` and the wiring disagree. */
export function requirePort<Name extends EngineName>(
  ports: PipelinePorts,
  name: Name,
): NonNullable<PipelinePorts[Name]> {
  const port = ports[name];
  if (port === undefined) throw new Error(`the ${name} was not opened for this process`);
  return port;
}
