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
