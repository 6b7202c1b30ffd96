import type { Histogram } from 'prom-client';
import type { ClientMsgId } from '../../core/contract/ids.ts';
import type { MessageTracer } from './message-tracer.ts';

/**
 * How long each stage of a message took, in the order in which it passes them.
 * - `ack`: SEND read by the gateway until its ACK is written.
 * - `append`: the message service asks the store until it is durable.
 * - `outbox`: from its seq until the relay hands it to the queue, by the clocks of two machines.
 * - `publish`: the relay publishes until the queue has it. How long it waits there is `parley_queue_wait_seconds`.
 * - `deliver`: a worker pushes until the device has it.
 * - `push`: the part of that in which the gateway that holds the device has it.
 */
export type MessageStage = 'ack' | 'append' | 'outbox' | 'publish' | 'deliver' | 'push';

export interface MessageStages {
  /**
   * @param begin from `stageClock`. The end is now.
   * @param traceparent that came with the message: who wrote it has decided whether the message is traced.
   */
  over(
    stage: MessageStage,
    clientMsgId: ClientMsgId,
    begin: number,
    attributes?: StageAttributes,
    traceparent?: string,
  ): void;
  /** What goes with the message on its way out (W3C Trace Context); undefined when it is not traced. */
  traceparent(clientMsgId: ClientMsgId): string | undefined;
}

/** Ids and counts, never content. */
export type StageAttributes = Readonly<Record<string, string | number>>;

/** Milliseconds since the Unix epoch that only rise while the process lives. */
export function stageClock(): number {
  return performance.timeOrigin + performance.now();
}

const NOTHING: StageAttributes = {};

export function createMessageStages(
  histogram: Histogram<'stage'>,
  tracer: MessageTracer | undefined,
): MessageStages {
  const of = (stage: MessageStage) => {
    // There from the beginning: a series that appears with its first message hides that there was none.
    histogram.zero({ stage });
    return histogram.labels({ stage });
  };
  const seconds = {
    ack: of('ack'),
    append: of('append'),
    outbox: of('outbox'),
    publish: of('publish'),
    deliver: of('deliver'),
    push: of('push'),
  };
  return {
    over(stage, clientMsgId, begin, attributes = NOTHING, traceparent) {
      const end = stageClock();
      seconds[stage].observe(Math.max(0, end - begin) / 1_000);
      tracer?.span(stage, clientMsgId, begin, end, attributes, traceparent);
    },
    traceparent: (clientMsgId) => tracer?.traceparent(clientMsgId),
  };
}
