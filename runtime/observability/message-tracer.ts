import { ROOT_CONTEXT, type SpanContext, SpanKind, trace, TraceFlags } from '@opentelemetry/api';
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
 * all roles trace the same ones.
 */
export interface MessageTracer {
  sampled(clientMsgId: ClientMsgId): boolean;
  /** A stage of a sampled message is over. Times are milliseconds since the Unix epoch. Attributes never hold content. */
  span(
    stage: string,
    clientMsgId: ClientMsgId,
    begin: number,
    end: number,
    attributes: Readonly<Record<string, string | number>>,
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
  return {
    sampled: (clientMsgId) => hashText(clientMsgId) < below,
    span(stage, clientMsgId, begin, end, attributes) {
      const isRoot = stage === ROOT_STAGE;
      const parent = isRoot ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, spanContextOf(clientMsgId));
      const kind = isRoot ? SpanKind.SERVER : SpanKind.INTERNAL;
      ids.rootOf = isRoot ? clientMsgId : undefined;
      const span = tracer.startSpan(`message ${stage}`, { startTime: begin, attributes, kind }, parent);
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
export function traceparentOf(clientMsgId: ClientMsgId): string {
  return `00-${traceIdOf(clientMsgId)}-${rootSpanIdOf(clientMsgId)}-01`;
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
