import { setTimeout as sleep } from 'node:timers/promises';
import { chatId, clientMsgId, deviceId, serverMsgId, userId } from '../../../core/contract/ids.ts';
import { onePlacement } from '../../../core/contract/placement.ts';
import type { DeliveryEvent } from '../../../core/contract/records.ts';
import { micros } from '../../../core/contract/time.ts';
import { createLogger } from '../../observability/logger.ts';
import { createMetrics } from '../../observability/metrics.ts';
import { createTopics } from './create-topics.ts';
import { createKafkaDeliveryQueue, type KafkaDeliveryQueue } from './delivery-queue-kafka.ts';
import { createKafkaAdmin } from './kafka-admin.ts';
import { DEFAULT_KAFKA_TUNING, deliverTopic, type KafkaRegion } from './kafka-options.ts';
import { encodeEvents } from './record-codec.ts';

export interface QueueBenchResult {
  /** Acknowledged as durable. */
  readonly publishedPerSecond: number;
  readonly consumedPerSecond: number;
  /** From `publish` to its answer, at a tenth of the load. */
  readonly publishP50Ms: number;
  readonly publishP99Ms: number;
  /** From `publish` to the worker having the record, at a tenth of the load. */
  readonly handedP50Ms: number;
  readonly handedP99Ms: number;
  /** Key and value of an event, before the broker's own few bytes. */
  readonly bytesPerEvent: number;
}

/** Published by one call, as a relay publishes what it read from its outbox. */
const CALL_EVENTS = 256;
const CALLS_AT_ONCE = 8;
const RECIPIENTS = 5_000;

/**
 * Measures the queue on a real Kafka: one producer and one worker in this process, events of 300 bytes each with content of its
 * own. Makes a topic of its own and removes it.
 * @throws Error when no broker answers, or an event does not arrive.
 */
export async function benchQueue(options: {
  readonly brokers: readonly string[];
  readonly seconds: number;
}): Promise<QueueBenchResult> {
  const home = `bench-${process.pid}`;
  const region: KafkaRegion = { region: home, brokers: options.brokers };
  const log = createLogger('silent', 'bench');
  const layout = { partitions: 8, replication: 1, minInsyncReplicas: 1, retentionHours: 1 };
  await createTopics({ clientId: 'bench', regions: [region], homes: [region.region], layout, log });
  const queue = createKafkaDeliveryQueue({
    clientId: 'bench',
    region: home,
    regions: [region],
    placement: onePlacement(home),
    metrics: createMetrics(false),
    log,
  });
  try {
    const worker = joinWorker(queue);
    await saturate(queue, worker, 1);
    const full = await saturate(queue, worker, options.seconds);
    const [record] = encodeEvents(makeEvents(0, 1), onePlacement(home), () => undefined);
    const bytesPerEvent = (record?.message.value.length ?? 0) + (record?.message.key.length ?? 0);
    return {
      ...full,
      bytesPerEvent,
      ...(await pace(queue, worker, options.seconds, full.publishedPerSecond / 10)),
    };
  } finally {
    await queue.drain();
    const admin = createKafkaAdmin(region, { clientId: 'bench', log, tuning: DEFAULT_KAFKA_TUNING });
    await admin.ask((kafka) => kafka.deleteTopics({ topics: [deliverTopic(home)] })).catch(() => undefined);
    await admin.close();
  }
}

interface Worker {
  handed: number;
  /** Milliseconds from `sentAt` of an event to its being handed over. */
  latencies: number[];
}

function joinWorker(queue: KafkaDeliveryQueue): Worker {
  const worker: Worker = { handed: 0, latencies: [] };
  const membership = queue.join({
    assigned: () => undefined,
    revoked: () => undefined,
    records(partition, generation, records) {
      const now = performance.now();
      for (const { offset, event } of records) {
        worker.handed++;
        if (event.item.kind === 'message') worker.latencies.push(now - event.item.message.sentAt / 1_000);
        membership.commit(partition, generation, offset + 1);
      }
    },
  });
  return worker;
}

function makeEvents(first: number, count: number): readonly DeliveryEvent[] {
  return Array.from({ length: count }, (_, i) => {
    const n = first + i;
    const message = {
      chatId: chatId(`c_${n % RECIPIENTS}`),
      seq: n,
      serverMsgId: serverMsgId(`m_${n}`),
      clientMsgId: clientMsgId('01920000-0000-7000-8000-000000000000'),
      from: userId('u_1'),
      fromDevice: deviceId('d_1'),
      ciphertext: 'QUJD'.repeat(34),
      mediaIds: [],
      sentAt: micros(Math.round(performance.now() * 1_000)),
    };
    return { recipient: userId(`u_${n % RECIPIENTS}`), item: { kind: 'message', message } };
  });
}

async function saturate(
  queue: KafkaDeliveryQueue,
  worker: Worker,
  seconds: number,
): Promise<Pick<QueueBenchResult, 'publishedPerSecond' | 'consumedPerSecond'>> {
  const handedBefore = worker.handed;
  const startedMs = performance.now();
  let published = 0;
  await Promise.all(
    Array.from({ length: CALLS_AT_ONCE }, async () => {
      while (performance.now() < startedMs + seconds * 1_000) {
        await publish(queue, makeEvents((published += CALL_EVENTS), CALL_EVENTS));
      }
    }),
  );
  const publishedMs = performance.now() - startedMs;
  await arrive(worker, handedBefore + published);
  const handedMs = performance.now() - startedMs;
  worker.latencies = [];
  return {
    publishedPerSecond: (published / publishedMs) * 1_000,
    consumedPerSecond: (published / handedMs) * 1_000,
  };
}

async function pace(
  queue: KafkaDeliveryQueue,
  worker: Worker,
  seconds: number,
  perSecond: number,
): Promise<Omit<QueueBenchResult, 'bytesPerEvent' | 'publishedPerSecond' | 'consumedPerSecond'>> {
  const handedBefore = worker.handed;
  const answers: number[] = [];
  const calls: Promise<void>[] = [];
  const everyMs = 5;
  const count = Math.max(1, Math.round((perSecond * everyMs) / 1_000));
  const turns = Math.round((seconds * 1_000) / everyMs);
  for (let turn = 0; turn < turns; turn++) {
    const startedMs = performance.now();
    calls.push(
      publish(queue, makeEvents(turn * count, count)).then(
        () => void answers.push(performance.now() - startedMs),
      ),
    );
    await sleep(everyMs);
  }
  await Promise.all(calls);
  await arrive(worker, handedBefore + turns * count);
  return {
    publishP50Ms: quantile(answers, 0.5),
    publishP99Ms: quantile(answers, 0.99),
    handedP50Ms: quantile(worker.latencies, 0.5),
    handedP99Ms: quantile(worker.latencies, 0.99),
  };
}

function publish(queue: KafkaDeliveryQueue, batch: readonly DeliveryEvent[]): Promise<void> {
  return new Promise((resolve, reject) =>
    queue.publish(batch, (outcome) => {
      if (outcome === 'ok') resolve();
      else reject(new Error(`Kafka answered a publish with ${outcome}`));
    }),
  );
}

async function arrive(worker: Worker, handed: number): Promise<void> {
  for (let waited = 0; worker.handed < handed; waited += 10) {
    if (waited > 60_000) throw new Error(`${handed - worker.handed} events did not arrive within a minute`);
    await sleep(10);
  }
}

function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}
