import { isDeepStrictEqual } from 'node:util';
import { Kafka, logLevel } from 'kafkajs';
import { onePlacement } from '../../../core/contract/placement.ts';
import { hashText } from '../../../core/contract/random.ts';
import { deliverTopic } from '../../adapters/kafka/kafka-options.ts';
import { createRecordDecoder, encodeEvents } from '../../adapters/kafka/record-codec.ts';
import { until } from './group-witness.ts';
import { PARTITIONS } from './model-driver.ts';
import type { Sent } from './queue-step.ts';
import { eventOf, sentOf } from './sent-event.ts';

// Somebody who is no part of Parley and reads and writes its topics all the same.

/** The partition of everything for a user. */
export const partitionOf = (user: number): number => hashText(`u_${user}`) % PARTITIONS;

const outsider = (address: string): Kafka =>
  new Kafka({ clientId: 'outsider', brokers: [address], logLevel: logLevel.NOTHING });

export async function publishInTransaction(
  address: string,
  home: string,
  events: readonly Sent[],
): Promise<void> {
  const producer = outsider(address).producer({
    transactionalId: `outsider-${home}`,
    idempotent: true,
    maxInFlightRequests: 1,
    createPartitioner:
      () =>
      ({ message }) =>
        partitionOf(Number(String(message.key).slice(2))),
  });
  await producer.connect();
  const transaction = await producer.transaction();
  const records = encodeEvents(events.map(eventOf), onePlacement(home), () => undefined);
  await transaction.send({ topic: deliverTopic(home), messages: records.map(({ message }) => message) });
  await transaction.commit();
  await producer.disconnect();
}

export async function writePoison(address: string, home: string, user: number): Promise<void> {
  const producer = outsider(address).producer({ createPartitioner: () => () => partitionOf(user) });
  await producer.connect();
  const messages = [{ key: `u_${user}`, value: 'nobody can read this' }];
  await producer.send({ topic: deliverTopic(home), messages });
  await producer.disconnect();
}

/** How long an outsider waits for an acknowledgement: less than a broker may stand still before it is missed. */
const ACKNOWLEDGED_MS = 1_500;

/** Appends without a session, and waits for as many copies as `acks` says. @returns `unknown` when nothing is heard in time. */
export async function appendFor(
  addresses: readonly string[],
  topic: string,
  events: readonly Sent[],
  acks: 1 | -1,
): Promise<'ok' | 'unknown'> {
  const options = { brokers: [...addresses], requestTimeout: ACKNOWLEDGED_MS, retry: { retries: 0 } };
  const kafka = new Kafka({ clientId: 'outsider', logLevel: logLevel.NOTHING, ...options });
  const producer = kafka.producer({
    createPartitioner:
      () =>
      ({ message }) =>
        partitionOf(Number(String(message.key).slice(2))),
  });
  await producer.connect();
  const records = encodeEvents(events.map(eventOf), onePlacement('anywhere'), () => undefined);
  const messages = records.map(({ message }) => message);
  try {
    return await producer.send({ topic, messages, acks }).then(
      () => 'ok',
      () => 'unknown',
    );
  } finally {
    await producer.disconnect();
  }
}

/** @returns the seqs of a user's events, as his partition holds them. */
export async function seqsOf(
  addresses: readonly string[],
  topic: string,
  user: number,
): Promise<readonly number[]> {
  const kafka = new Kafka({ clientId: 'outsider', brokers: [...addresses], logLevel: logLevel.NOTHING });
  const admin = kafka.admin();
  await admin.connect();
  let total = 0;
  // A new leader is known to everybody before it knows itself.
  await until('the end of the log', () =>
    admin.fetchTopicOffsets(topic).then(
      (ends) => {
        total = ends.reduce((sum, { high }) => sum + Number(high), 0);
        return true;
      },
      () => false,
    ),
  );
  await admin.disconnect();
  const consumer = kafka.consumer({ groupId: `reader-${crypto.randomUUID()}`, maxWaitTimeInMs: 50 });
  const decode = createRecordDecoder();
  const seqs: number[] = [];
  let read = 0;
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  await consumer.run({
    eachMessage({ message }) {
      read++;
      const event = decode(message);
      const [recipient, seq] = 'reason' in event ? [0, 0] : sentOf(event);
      if (recipient === user) seqs.push(seq);
      return Promise.resolve();
    },
  });
  await until('every record', () => Promise.resolve(read >= total));
  await consumer.disconnect();
  return seqs;
}

/** @returns the offset of an event. @throws Error when it is not there. */
export async function offsetOf(address: string, home: string, [user, seq]: Sent): Promise<number> {
  const consumer = outsider(address).consumer({ groupId: `reader-${home}-${seq}`, maxWaitTimeInMs: 50 });
  const decode = createRecordDecoder();
  let found: number | undefined;
  await consumer.connect();
  await consumer.subscribe({ topic: deliverTopic(home), fromBeginning: true });
  await consumer.run({
    eachMessage: ({ message }) => {
      const event = decode(message);
      if (!('reason' in event) && isDeepStrictEqual(sentOf(event), [user, seq]))
        found ??= Number(message.offset);
      return Promise.resolve();
    },
  });
  await until(`event ${seq} to u_${user}`, () => Promise.resolve(found !== undefined));
  await consumer.disconnect();
  return found ?? 0;
}
