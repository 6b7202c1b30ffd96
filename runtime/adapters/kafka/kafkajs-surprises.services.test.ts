import { Kafka, logLevel, type Consumer, type EachBatchPayload } from 'kafkajs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { quietRequestQueues } from './quiet-request-queue.ts';
import { FaultProxy } from './testing/fault-proxy.ts';
import { until } from './testing/queue-under-test.ts';
import { startTestBroker, type TestBroker } from './testing/test-broker.ts';

/**
 * What kafkajs and Kafka do below the port, without our adapter: the reasons for its stranger parts. A test that turns red
 * here after an update says that a part of the adapter may go.
 */
let broker: TestBroker;

beforeAll(async () => {
  quietRequestQueues();
  broker = await startTestBroker();
});
afterAll(() => broker.stop());

function client(proxy?: FaultProxy): Kafka {
  return new Kafka({
    clientId: 'raw',
    brokers: [broker.address],
    logLevel: logLevel.NOTHING,
    retry: { retries: 8, initialRetryTime: 50, maxRetryTime: 500 },
    // Who speaks through a proxy is there to fail, soon.
    ...(proxy === undefined
      ? {}
      : { socketFactory: proxy.connect, requestTimeout: 500, retry: { retries: 0, initialRetryTime: 50 } }),
  });
}

async function makeTopic(topic: string, partitions = 1): Promise<void> {
  const admin = client().admin();
  await admin.connect();
  await admin.createTopics({ topics: [{ topic, numPartitions: partitions }], waitForLeaders: false });
  await until('the topic', () =>
    admin.fetchTopicMetadata({ topics: [topic] }).then(
      () => true,
      () => false,
    ),
  );
  await admin.disconnect();
}

async function endOf(topic: string): Promise<number> {
  const admin = client().admin();
  await admin.connect();
  const offsets = await admin.fetchTopicOffsets(topic);
  await admin.disconnect();
  return offsets.reduce((sum, { high }) => sum + Number(high), 0);
}

test('kafkajs gives the sequence numbers of a batch of unknown outcome to the next: acknowledged, and lost', async () => {
  const topic = 'sequence-reuse';
  await makeTopic(topic);
  const proxy = await FaultProxy.start(broker.address);
  // One attempt: as after the last of many.
  const producer = client(proxy).producer({
    idempotent: true,
    maxInFlightRequests: 1,
    retry: { retries: 1 },
  });
  await producer.connect();
  await producer.send({ topic, messages: [{ value: 'first' }] });
  proxy.breakProduce('mute', 'swallow', 'swallow');
  await expect(
    producer.send({ topic, messages: [{ value: 'appended, never acknowledged' }] }),
  ).rejects.toThrow();
  proxy.heal();
  proxy.cut();
  proxy.heal();
  const next = await sendUntilAnswered(() => producer.send({ topic, messages: [{ value: 'lost' }] }));
  expect(next[0]?.errorCode).toBe(0);
  expect(await endOf(topic)).toBe(2);
  await producer.disconnect();
  await proxy.close();
});

async function sendUntilAnswered<T>(send: () => Promise<T>): Promise<T> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await send();
    } catch (error) {
      if (attempt === 20) throw error;
    }
  }
}

test('the broker refuses the commit of a consumer that others have gone on without', async () => {
  const topic = 'fenced';
  await makeTopic(topic);
  const producer = client().producer();
  await producer.connect();
  await producer.send({ topic, messages: [{ value: '1' }, { value: '2' }] });
  await producer.disconnect();
  let held: EachBatchPayload | undefined;
  let goOn = (): void => undefined;
  const holding = await consume(topic, 'group', async (payload) => {
    held ??= payload;
    // Work that takes longer than the session lasts, without a heartbeat.
    await new Promise<void>((resolve) => (goOn = resolve));
  });
  await until('the first to have it', () => held !== undefined);
  let taken = 0;
  const other = await consume(topic, 'group', ({ batch }) => {
    taken += batch.messages.length;
    return Promise.resolve();
  });
  await until('the other to have it', () => taken === 2);
  const commit = held?.commitOffsetsIfNecessary({
    topics: [{ topic, partitions: [{ partition: 0, offset: '2' }] }],
  });
  await expect(commit).rejects.toMatchObject({
    type: expect.stringMatching(/^(UNKNOWN_MEMBER_ID|ILLEGAL_GENERATION)$/) as string,
  });
  expect(await committedBy('group', topic)).toBe(-1);
  goOn();
  await Promise.all([holding.disconnect(), other.disconnect()]);
});

test('two groups read the same topic, and the commits of one are nothing to the other', async () => {
  const topic = 'two-groups';
  await makeTopic(topic);
  const producer = client().producer();
  await producer.connect();
  await producer.send({ topic, messages: [{ value: '1' }, { value: '2' }, { value: '3' }] });
  await producer.disconnect();
  const got = { one: 0, two: 0 };
  const one = await consume(topic, 'one', async ({ batch, commitOffsetsIfNecessary }) => {
    got.one += batch.messages.length;
    await commitOffsetsIfNecessary({ topics: [{ topic, partitions: [{ partition: 0, offset: '3' }] }] });
  });
  const two = await consume(topic, 'two', ({ batch }) => {
    got.two += batch.messages.length;
    return Promise.resolve();
  });
  await until('both to have all', () => got.one === 3 && got.two === 3);
  await until('the commit of the first', async () => (await committedBy('one', topic)) === 3);
  expect(await committedBy('two', topic)).toBe(-1);
  await Promise.all([one.disconnect(), two.disconnect()]);
});

async function consume(
  topic: string,
  groupId: string,
  eachBatch: (payload: EachBatchPayload) => Promise<void>,
  partitionsConsumedConcurrently = 1,
): Promise<Consumer> {
  const consumer = client().consumer({
    groupId,
    sessionTimeout: 1_000,
    rebalanceTimeout: 1_000,
    heartbeatInterval: 200,
    maxWaitTimeInMs: 100,
  });
  await consumer.connect();
  await consumer.subscribe({ topics: [topic], fromBeginning: true });
  await consumer.run({ autoCommit: false, eachBatch, partitionsConsumedConcurrently });
  return consumer;
}

async function committedBy(groupId: string, topic: string): Promise<number> {
  const admin = client().admin();
  await admin.connect();
  await admin.fetchTopicOffsets(topic); // loads what fetchOffsets takes for granted
  const [answer] = await admin.fetchOffsets({ groupId, topics: [topic] });
  await admin.disconnect();
  return Number(answer?.partitions[0]?.offset);
}

test('kafkajs hands over what one fetch brought of several partitions at once, when it is told so many', async () => {
  const topic = 'at-once';
  await makeTopic(topic, 3);
  const producer = client().producer();
  await producer.connect();
  const messages = [0, 1, 2].map((partition) => ({ partition, value: 'one' }));
  await producer.send({ topic, messages });
  await producer.disconnect();
  const partitions = new Set<number>();
  // None of them ends before all have come: one at a time would never get on.
  const { promise: allCame, resolve } = Promise.withResolvers<void>();
  const eachBatch = async ({ batch }: EachBatchPayload): Promise<void> => {
    partitions.add(batch.partition);
    if (partitions.size === 3) resolve();
    await allCame;
  };
  const consumer = await consume(topic, 'at-once', eachBatch, 3);
  await allCame;
  expect(partitions.size).toBe(3);
  await consumer.disconnect();
});
