import type { DeliveryEvent } from '../../core/contract/records.ts';
import type { QueueRecord } from '../../core/delivery/delivery-event.ts';
import type { Done } from './message-store.ts';

export type PublishOutcome = 'ok' | 'failed' | 'unknown';

/** The delivery queue: partitions keyed by recipient, read by one group of workers, at least once. */
export interface DeliveryQueue {
  /**
   * Events that it lets wait before it refuses. A larger call may be refused for ever, so no caller's limit may be above it
   * (`publishEvents` in core/contract/limits.ts).
   */
  readonly capacity: number;
  /** `ok` only when the events are as durable as the queue is; order within one recipient is kept within a call. */
  publish(events: readonly DeliveryEvent[], done: Done<PublishOutcome>): void;
  /** For what is best effort; may drop. */
  publishTransient(events: readonly DeliveryEvent[]): void;
  /** Joins the group of workers; partitions are dealt anew. */
  join(consumer: QueueConsumer): QueueMembership;
  /** Records that are published and not yet committed, over all partitions. */
  depth(): number;
  close(): void;
}

export interface QueueConsumer {
  /** `generation` names the assignment; records from `offset` on follow. */
  assigned(partition: number, generation: number, offset: number): void;
  revoked(partition: number): void;
  records(partition: number, generation: number, records: readonly TracedRecord[]): void;
}

/** A record and the trace context that it was published with (W3C Trace Context). Nothing is decided by it. */
export interface TracedRecord extends QueueRecord {
  readonly traceparent?: string | undefined;
}

export interface QueueMembership {
  /** Everything below `offset` is finished. Void when the generation is not the current one. */
  commit(partition: number, generation: number, offset: number): void;
  pause(): void;
  resume(): void;
  leave(): void;
}
