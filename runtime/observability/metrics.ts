import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';
import { createMessageStages, type MessageStages } from './message-stages.ts';
import type { MessageTracer } from './message-tracer.ts';

/**
 * The figures of one process. Names, labels and units are stable: dashboards and alerts are written against them.
 * Labels are closed sets, never ids: a label per user would grow without bound.
 */
export interface Metrics {
  readonly connections: Gauge;
  readonly connectionsOpened: Counter;
  readonly connectionsClosed: Counter<'code'>;
  readonly upgradesRefused: Counter<'status'>;
  readonly framesReceived: Counter<'frame'>;
  readonly badFrames: Counter<'code'>;
  readonly errorsSent: Counter<'code'>;
  readonly goaways: Counter<'reason'>;
  readonly messagesAcked: Counter<'duplicate'>;
  readonly messagesPushed: Counter;
  /** Stages of messages; traces them too, when the process traces. */
  readonly messageStages: MessageStages;
  readonly deliveries: Counter<'outcome'>;
  readonly deliverySeconds: Histogram;
  readonly httpRequests: Counter<'route' | 'status'>;
  readonly storeGroupSeconds: Histogram<'lane'>;
  readonly storeGroupCalls: Counter<'lane'>;
  readonly storeOutcomes: Counter<'call' | 'outcome'>;
  readonly storeWaiting: Gauge<'lane'>;
  readonly registryCallSeconds: Histogram<'region' | 'kind'>;
  readonly registryFailures: Counter<'region' | 'kind' | 'reason'>;
  readonly registryReconnects: Counter<'region'>;
  /** `outcome`: ok, failed, unknown; refused before it was tried; dropped (transient). */
  readonly queuePublished: Counter<'outcome'>;
  readonly queuePublishSeconds: Histogram;
  readonly queueConsumed: Counter<'region'>;
  readonly queueWaitSeconds: Histogram<'region'>;
  readonly queueCommits: Counter<'outcome'>;
  readonly queueAssignments: Counter<'region'>;
  readonly queueDeadLetters: Counter<'reason'>;
  readonly queueRebuilds: Counter<'part'>;
  readonly queueLag: Gauge<'region'>;
  /** Adds a gauge that is read when it is scraped. */
  gauge(name: string, help: string, read: () => number): void;
  /** Adds a counter whose values, by the value of its one label, are read when it is scraped. */
  counts(name: string, help: string, label: string, read: () => Readonly<Record<string, number>>): void;
  /** The exposition text (Prometheus format 0.0.4). */
  text(): Promise<string>;
  readonly contentType: string;
}

const LATENCY_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/**
 * Every figure that is there from the start; others are added where what they count begins. All of them are listed in
 * docs/metrics.md, and a test compares.
 * @param defaults whether to add the metrics of the process itself (CPU, memory, event loop lag).
 * @param tracer undefined where nobody collects traces.
 * @param registry holds them: a new one for each process.
 */
export function createMetrics(
  defaults: boolean,
  tracer?: MessageTracer,
  registry: Registry = new Registry(),
): Metrics {
  const registers = [registry];
  if (defaults) collectDefaultMetrics({ register: registry });

  const counter = <Label extends string = never>(
    name: string,
    help: string,
    labelNames: Label[] = [],
  ): Counter<Label> => new Counter({ name, help, labelNames, registers });
  const histogram = (name: string, help: string): Histogram =>
    new Histogram({ name, help, buckets: LATENCY_BUCKETS, registers });

  return {
    connections: new Gauge({ name: 'parley_connections', help: 'Open device connections', registers }),
    connectionsOpened: counter('parley_connections_opened_total', 'Device connections accepted'),
    connectionsClosed: counter('parley_connections_closed_total', 'Device connections ended, by close code', [
      'code',
    ]),
    upgradesRefused: counter('parley_upgrades_refused_total', 'Upgrades answered with an HTTP status', [
      'status',
    ]),
    framesReceived: counter('parley_frames_received_total', 'Frames read from devices', ['frame']),
    badFrames: counter('parley_bad_frames_total', 'Frames from devices that were refused', ['code']),
    errorsSent: counter('parley_errors_sent_total', 'ERROR frames sent, by code', ['code']),
    goaways: counter('parley_goaways_sent_total', 'GOAWAY frames sent, by reason', ['reason']),
    messagesAcked: counter('parley_messages_acked_total', 'Sends acknowledged as durable', ['duplicate']),
    messagesPushed: counter('parley_messages_pushed_total', 'MESSAGE frames sent, replays included'),
    messageStages: createMessageStages(
      new Histogram({
        name: 'parley_message_stage_seconds',
        help: 'Stages of messages: ack, append, outbox, publish, deliver',
        labelNames: ['stage'],
        buckets: LATENCY_BUCKETS,
        registers,
      }),
      tracer,
    ),
    deliveries: counter('parley_deliveries_total', 'Pushes of delivery workers, by outcome', ['outcome']),
    deliverySeconds: histogram(
      'parley_delivery_seconds',
      'From the message being stored to its device having it',
    ),
    storeGroupSeconds: new Histogram({
      name: 'parley_store_group_seconds',
      help: 'Transactions of the store, each of many calls',
      labelNames: ['lane'],
      buckets: LATENCY_BUCKETS,
      registers,
    }),
    storeGroupCalls: counter('parley_store_group_calls_total', 'Calls in those transactions', ['lane']),
    storeOutcomes: counter('parley_store_calls_total', 'Store calls, by outcome', ['call', 'outcome']),
    storeWaiting: new Gauge({
      name: 'parley_store_waiting',
      help: 'Calls that wait for a transaction to take them along',
      labelNames: ['lane'],
      registers,
    }),
    registryCallSeconds: new Histogram({
      name: 'parley_registry_call_seconds',
      help: 'Calls of the session registry, each of one or many entries, answered or not',
      labelNames: ['region', 'kind'],
      buckets: LATENCY_BUCKETS,
      registers,
    }),
    registryFailures: counter(
      'parley_registry_failures_total',
      'Calls of the session registry without an answer: timeout, refused (too many wait), error',
      ['region', 'kind', 'reason'],
    ),
    registryReconnects: counter(
      'parley_registry_reconnects_total',
      'Attempts to connect to a session registry again',
      ['region'],
    ),
    queuePublished: counter('parley_queue_published_total', 'Records for the delivery queue, by outcome', [
      'outcome',
    ]),
    queuePublishSeconds: histogram('parley_queue_publish_seconds', 'From a batch being sent to its outcome'),
    queueConsumed: counter(
      'parley_queue_consumed_total',
      'Records read, by the region they were written in',
      ['region'],
    ),
    queueWaitSeconds: new Histogram({
      name: 'parley_queue_wait_seconds',
      help: 'From a record being published to a worker reading it, by the region it was written in',
      labelNames: ['region'],
      buckets: LATENCY_BUCKETS,
      registers,
    }),
    queueCommits: counter('parley_queue_commits_total', 'Commits of finished offsets, by outcome', [
      'outcome',
    ]),
    queueAssignments: counter('parley_queue_assignments_total', 'Partitions taken over', ['region']),
    queueDeadLetters: counter('parley_queue_dead_letters_total', 'Records that no worker could read', [
      'reason',
    ]),
    queueRebuilds: counter('parley_queue_rebuilds_total', 'Producers and consumers that failed', ['part']),
    queueLag: new Gauge({
      name: 'parley_queue_lag',
      help: 'Records published and not committed, by the region they were written in',
      labelNames: ['region'],
      registers,
    }),
    httpRequests: counter('parley_http_requests_total', 'HTTP API requests', ['route', 'status']),
    gauge(name, help, read) {
      const gauge: Gauge = new Gauge({ name, help, registers, collect: () => gauge.set(read()) });
    },
    counts(name, help, label, read) {
      const total: Counter = new Counter({
        name,
        help,
        labelNames: [label],
        registers,
        collect() {
          total.reset();
          for (const [value, count] of Object.entries(read())) total.inc({ [label]: value }, count);
        },
      });
    },
    text: () => registry.metrics(),
    contentType: registry.contentType,
  };
}
