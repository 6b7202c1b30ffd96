import type { Message, Producer } from 'kafkajs';
import { hashText } from '../../../core/contract/random.ts';
import type { PublishOutcome } from '../../ports/delivery-queue.ts';
import { createKafkaClient, type KafkaClient } from './kafka-client.ts';
import type { KafkaRegion } from './kafka-options.ts';
import type { OutgoingRecord } from './record-codec.ts';

export interface SendResult {
  readonly outcome: PublishOutcome;
  /** Why it is not `ok`. */
  readonly error: Error | undefined;
}

/**
 * One idempotent producer, for one request at a time, until the first that fails.
 *
 * A kafkajs producer is worth nothing after a request whose outcome is unknown: it takes the sequence numbers of that request
 * back and gives them to the next one. If the broker had appended the first, it takes the second for its repetition and
 * answers that all is well: acknowledged and lost. For the same reason two requests at once would not be safe.
 */
export interface ProducerSession {
  /** Never rejects. After anything but `ok` the session is over. */
  send(records: readonly OutgoingRecord[]): Promise<SendResult>;
  /** Ends the connections; a request under way comes back as `unknown`. */
  cut(): void;
  /** Ends an idle session. */
  close(): Promise<void>;
}

type SessionOptions = Parameters<typeof createKafkaClient>[1];

/** @throws Error when no broker gives it a producer id in time. */
export async function openProducerSession(
  region: KafkaRegion,
  options: SessionOptions,
): Promise<ProducerSession> {
  const client = createKafkaClient(region, options);
  const producer = client.kafka.producer({
    idempotent: true,
    allowAutoTopicCreation: false,
    maxInFlightRequests: 1,
    // Bounded all the same by the session's deadline.
    retry: { retries: 8 },
    createPartitioner:
      () =>
      ({ message, partitionMetadata }) =>
        hashText(message.key as string) % partitionMetadata.length,
  });
  const { publishTimeoutMs } = options.tuning;
  try {
    await withDeadline(producer.connect(), publishTimeoutMs, 'no broker answers');
  } catch (error) {
    client.sockets.cut();
    throw error;
  }
  return createSession(client, producer, publishTimeoutMs);
}

function createSession(
  { sockets }: KafkaClient,
  producer: Producer,
  publishTimeoutMs: number,
): ProducerSession {
  return {
    async send(records) {
      const before = sockets.produceRequests;
      try {
        const sent = producer.sendBatch({
          acks: -1,
          timeout: publishTimeoutMs,
          topicMessages: byTopic(records),
        });
        await withDeadline(sent, publishTimeoutMs, 'no broker acknowledged in time');
        return { outcome: 'ok', error: undefined };
      } catch (error) {
        sockets.cut();
        // What was never written to a connection cannot have been appended.
        const outcome = sockets.produceRequests === before ? 'failed' : 'unknown';
        return { outcome, error: error as Error };
      }
    },
    cut: () => sockets.cut(),
    async close() {
      await producer.disconnect().catch(() => undefined);
      sockets.cut();
    },
  };
}

function byTopic(records: readonly OutgoingRecord[]): { topic: string; messages: Message[] }[] {
  const topics = new Map<string, Message[]>();
  for (const { topic, message } of records) {
    const messages = topics.get(topic);
    if (messages === undefined) topics.set(topic, [message]);
    else messages.push(message);
  }
  return [...topics].map(([topic, messages]) => ({ topic, messages }));
}

/** @throws Error with `message` when the promise has not settled in time; how it settles later is nobody's concern. */
export async function withDeadline<T>(promise: Promise<T>, ms: number, message: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`${message} (${ms} ms)`)), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
    promise.catch(() => undefined);
  }
}
