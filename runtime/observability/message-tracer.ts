import {
  type Link,
  ROOT_CONTEXT,
  type SpanContext,
  SpanKind,
  isSpanContextValid,
  trace,
  TraceFlags,
} from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  BatchSpanProcessor,
  type IdGenerator,
  RandomIdGenerator,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import type { ClientMsgId } from '../../core/contract/ids.ts';
import { hashText } from '../../core/contract/random.ts';

/**
 * Traces of messages through the roles, without a trace context on any link: a message's trace id *is* its `clientMsgId`,
 * a UUID and so 128 bits, which every role knows. The span of the gateway that took the message is the root; the others
 * name it as their parent by an id made from the same UUID. Which messages are traced follows from the UUID too, so that
 * all roles trace the same ones. Records of the queue carry the context all the same: others read them as well, and a worker
 * whose own share is smaller traces what the relay has traced.
 */
export interface MessageTracer {
  /** The context of a message as W3C Trace Context has it; undefined when it is not sampled. */
  traceparent(clientMsgId: ClientMsgId): string | undefined;
  /**
   * A stage of a message is over; nothing when it is not sampled. Times are milliseconds since the Unix epoch. Attributes
   * never hold content.
   * @param traceparent that came with the message: it says whether the message is sampled, and the span is linked to it.
   */
  span(
    stage: string,
    clientMsgId: ClientMsgId,
    begin: number,
    end: number,
    attributes: Readonly<Record<string, string | number>>,
    traceparent?: string,
  ): void;
  /** Sends what is gathered; a collector that does not answer is given up after some seconds. */
  close(): Promise<void>;
}

export interface MessageTracerOptions {
  /** Of the collector, for OTLP over HTTP: `http://collector:4318/v1/traces`. */
  readonly url: string;
  /** Share of the messages that are traced, 0 to 1. */
  readonly ratio: number;
  readonly node: string;
  readonly role: string;
  readonly region: string;
}

/** The stage whose span is the root. */
const ROOT_STAGE = 'ack';
const QUEUED_SPANS = 8_192;

export function createMessageTracer(options: MessageTracerOptions): MessageTracer {
  const ids = new MessageIds();
  const provider = new TracerProvider({
    idGenerator: ids,
    resource: resourceFromAttributes({
      'service.name': `parley-${options.role}`,
      'service.instance.id': options.node,
      'cloud.region': options.region,
    }),
    spanProcessors: [
      new BatchSpanProcessor({
        exporter: new OTLPTraceExporter({ url: options.url }),
        maxQueueSize: QUEUED_SPANS,
        scheduledDelayMillis: 1_000,
      }),
    ],
  });
  const tracer = provider.getTracer('parley');
  const below = options.ratio * 0x1_0000_0000;
  const isSampled = (clientMsgId: ClientMsgId): boolean => hashText(clientMsgId) < below;
  return {
    traceparent: (clientMsgId) => (isSampled(clientMsgId) ? traceparentOf(clientMsgId) : undefined),
    span(stage, clientMsgId, begin, end, attributes, traceparent) {
      const came = traceparent === undefined ? undefined : parseTraceparent(traceparent);
      const traced =
        came === undefined ? isSampled(clientMsgId) : (came.traceFlags & TraceFlags.SAMPLED) !== 0;
      if (!traced) return;
      const links: Link[] = came === undefined ? [] : [{ context: came }];
      const isRoot = stage === ROOT_STAGE;
      const parent = isRoot ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, spanContextOf(clientMsgId));
      const kind = isRoot ? SpanKind.SERVER : SpanKind.INTERNAL;
      ids.rootOf = isRoot ? clientMsgId : undefined;
      const span = tracer.startSpan(
        `message ${stage}`,
        { startTime: begin, attributes, kind, links },
        parent,
      );
      ids.rootOf = undefined;
      span.end(end);
    },
    close: () => provider.shutdown(),
  };
}

/** The root span of a message, as every role can name it. */
function spanContextOf(clientMsgId: ClientMsgId): SpanContext {
  const [traceId, spanId] = [traceIdOf(clientMsgId), rootSpanIdOf(clientMsgId)];
  return { traceId, spanId, traceFlags: TraceFlags.SAMPLED, isRemote: true };
}

/** W3C Trace Context, for what leaves Parley: the headers of queue records. */
function traceparentOf(clientMsgId: ClientMsgId): string {
  return `00-${traceIdOf(clientMsgId)}-${rootSpanIdOf(clientMsgId)}-01`;
}

const TRACEPARENT = /^[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-|$)/;

/** @returns undefined for what is no context, as the specification wants it. */
function parseTraceparent(text: string): SpanContext | undefined {
  const [, traceId, spanId, flags] = TRACEPARENT.exec(text) ?? [];
  if (traceId === undefined || spanId === undefined || flags === undefined) return undefined;
  const context = { traceId, spanId, traceFlags: Number.parseInt(flags, 16), isRemote: true };
  return isSpanContextValid(context) ? context : undefined;
}

function traceIdOf(clientMsgId: ClientMsgId): string {
  return clientMsgId.replaceAll('-', '').toLowerCase();
}

/** The random half of the UUID, so that it differs where the trace id does; never all zero, which would be invalid. */
function rootSpanIdOf(clientMsgId: ClientMsgId): string {
  const half = traceIdOf(clientMsgId).slice(16);
  return /^0+$/.test(half) ? '0000000000000001' : half;
}

/** Random ids, but for those of a root span, which are its message's. */
class MessageIds implements IdGenerator {
  /** While the root span of this message is being started. */
  rootOf: ClientMsgId | undefined;
  readonly #random = new RandomIdGenerator();

  generateTraceId(): string {
    return this.rootOf === undefined ? this.#random.generateTraceId() : traceIdOf(this.rootOf);
  }

  generateSpanId(): string {
    return this.rootOf === undefined ? this.#random.generateSpanId() : rootSpanIdOf(this.rootOf);
  }
}
