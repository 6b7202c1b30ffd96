import { setTimeout as sleep } from 'node:timers/promises';
import { Kafka, logLevel } from 'kafkajs';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import type { DeliveryEvent } from '../../../core/contract/records.ts';
import { askLag } from './lag-monitor.ts';
import { createKafkaAdmin } from './kafka-admin.ts';
import { createLogger } from '../../observability/logger.ts';
import { DEAD_TOPIC, DEFAULT_KAFKA_TUNING, deliverTopic, type KafkaRegion } from './kafka-options.ts';
import { FaultProxy } from './testing/fault-proxy.ts';
import {
  event,
  makeTopics,
  openQueue,
  range,
  RecordingWorker,
  until,
  type QueueUnderTest,
} from './testing/queue-under-test.ts';
import { startTestBroker, type TestBroker } from './testing/test-broker.ts';

let broker: TestBroker;
let proxy: FaultProxy;
let homes = 0;
/** What a test opened, to be closed whatever came of it. */
let opened: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  broker = await startTestBroker();
  proxy = await FaultProxy.start(broker.address);
});
afterEach(async () => {
  proxy.heal();
  await Promise.all(opened.map((close) => close()));
  opened = [];
});
afterAll(async () => {
  await proxy.close();
  await broker.stop();
});

/** A region of the test's own, so that its topics and groups are nobody else's. */
async function newRegion(partitions = 4): Promise<KafkaRegion> {
  const region = { region: `home-${++homes}`, brokers: [broker.address] };
  await makeTopics([region], partitions);
  return region;
}

const proxied = (region: KafkaRegion): KafkaRegion => ({ ...region, connect: proxy.connect });

function open(region: KafkaRegion, tuning?: Parameters<typeof openQueue>[2]): QueueUnderTest {
  const opening = openQueue(region.region, [region], tuning);
  opened.push(() => opening.queue.drain());
  return opening;
}

function kafka(): Kafka {
  return new Kafka({ clientId: 'witness', brokers: [broker.address], logLevel: logLevel.NOTHING });
}

/** Records above the committed offsets, asked of the broker. */
async function lagOf(region: KafkaRegion): Promise<number> {
  const admin = createKafkaAdmin(region, {
    clientId: 'witness',
    log: createLogger('silent', 'test'),
    tuning: DEFAULT_KAFKA_TUNING,
  });
  try {
    return await askLag(admin, region.region);
  } finally {
    await admin.close();
  }
}

test('events of one recipient stay in order, and what a newer release adds to them survives', async () => {
  const { queue, publish } = open(await newRegion());
  const worker = new RecordingWorker(queue);
  const events = range(1, 3_000).map((seq) => event(seq % 7, seq));
  const added = { hue: ['new'] };
  const newer: DeliveryEvent = { ...event(1, 3_001), item: { ...event(1, 3_001).item, ...added } };
  expect(
    await Promise.all([publish(...events.slice(0, 1_500)), publish(...events.slice(1_500), newer)]),
  ).toEqual(['ok', 'ok']);
  await until('every record', () => worker.handed.length === 3_001);
  for (const user of range(0, 6)) {
    const mine = [...events, newer].filter(({ recipient }) => recipient === `u_${user}`);
    expect(
      worker.handed.map(({ record }) => record.event).filter(({ recipient }) => recipient === `u_${user}`),
    ).toEqual(mine);
  }
});

test('what a worker that dies has not finished comes again to another, and nothing else', async () => {
  const region = await newRegion(1);
  const { publish } = open(region);
  const dying = openQueue(region.region, [proxied(region)]);
  opened.push(() => dying.queue.drain());
  const first = new RecordingWorker(dying.queue, { hold: true });
  await publish(...range(1, 10).map((seq) => event(1, seq)));
  await until('ten records', () => first.handed.length === 10);
  const [third] = first.handed.slice(2);
  first.membership.commit(third?.partition ?? -1, third?.generation ?? -1, (third?.record.offset ?? 0) + 1);
  await until('the commit', async () => (await lagOf(region)) === 7);
  proxy.cut();
  const second = new RecordingWorker(open(region).queue);
  await until('the rest', () => second.handed.length === 7);
  expect(second.seqs()).toEqual(range(4, 10));
  await until('all finished', async () => (await lagOf(region)) === 0);
});

test('a rebalance with work in flight repeats it, and voids the commits of whoever had it', async () => {
  const region = await newRegion(4);
  const first = open(region);
  const holding = new RecordingWorker(first.queue, { hold: true });
  await first.publish(...range(1, 100).map((seq) => event(seq, seq)));
  await until('all records', () => holding.handed.length === 100);
  const generations = new Map(holding.assigned);
  const second = new RecordingWorker(open(region).queue);
  await until('the partitions to move', () => second.assigned.size === 2);
  await until('their repetition', () => holding.handed.length + second.handed.length === 200);
  // The first one ends its work under the assignment that is over.
  for (const { partition, generation, record } of holding.handed)
    if (generations.get(partition) === generation)
      holding.membership.commit(partition, generation, record.offset + 1);
  expect(await first.figure('parley_queue_commits_total', 'outcome="void"')).toBe(100);
  await until('the second to be done', async () => (await lagOf(region)) === 100 - second.handed.length);
  expect(new Set([...holding.seqs().slice(100), ...second.seqs()])).toEqual(new Set(range(1, 100)));
});

test('offsets are committed only behind finished work, without a gap', async () => {
  const region = await newRegion(1);
  const { queue, publish } = open(region);
  const worker = new RecordingWorker(queue, { hold: true });
  await publish(...range(1, 20).map((seq) => event(1, seq)));
  await until('all records', () => worker.handed.length === 20);
  const at = worker.handed[0];
  worker.membership.commit(at?.partition ?? -1, at?.generation ?? -1, 5);
  await until('five committed', async () => (await lagOf(region)) === 15);
  worker.membership.commit(at?.partition ?? -1, (at?.generation ?? 0) + 1_000, 20);
  await sleep(200);
  expect(await lagOf(region)).toBe(15);
});

test('a record that nobody can read goes to the dead letters, once, and holds nobody up', async () => {
  const region = await newRegion(1);
  const topic = deliverTopic(region.region);
  const { queue, publish, figure } = open(region);
  await publish(event(1, 1));
  const producer = kafka().producer();
  await producer.connect();
  await producer.send({ topic, messages: [{ key: 'u_1', value: '{"kind":"message","message":{}}' }] });
  await publish(event(1, 2));
  await producer.send({
    topic,
    messages: [
      { key: 'nobody', value: '{}' },
      { key: 'u_1', value: null },
      { key: 'u_1', value: 'no json', headers: { v: '1' } },
      { key: 'u_1', value: '{}', headers: { v: '2' } },
      { key: 'u_1', value: '{"kind":"of a newer release"}' },
    ],
  });
  // It just fits into its topic; with a word more it would not.
  await producer.send({ topic, messages: [{ key: 'u_1', value: 'x'.repeat(1_048_400) }] });
  await producer.disconnect();
  const worker = new RecordingWorker(queue);
  await until('both good ones', () => worker.handed.length === 2);
  await until('the commits to pass the poison', async () => (await lagOf(region)) === 0);
  expect(worker.seqs()).toEqual([1, 2]);
  expect(await figure('parley_queue_dead_letters_total')).toBe(7);

  const again = new RecordingWorker(open(region).queue);
  await publish(event(1, 3));
  await until('the next', () => worker.handed.length + again.handed.length === 3);
  const dead = (await readAll(DEAD_TOPIC)).filter(({ headers }) => headers['dead-region'] === region.region);
  expect(
    dead.map(({ headers }) => [headers['dead-offset'], headers['dead-reason'], headers['dead-detail']]),
  ).toEqual([
    ['1', 'item', 'message.chatId: is missing or wrong'],
    ['3', 'key', 'the key is no user id such as "u_42"'],
    ['4', 'json', 'the record has no value'],
    ['5', 'json', 'the value is not JSON'],
    ['6', 'version', 'the header v names a content version that this release cannot read'],
    ['7', 'unknown-kind', 'kind: this release does not know it; a newer one wrote the record'],
    ['8', 'json', 'the value is not JSON'],
  ]);
  expect(dead[0]?.value).toBe('{"kind":"message","message":{}}');
  expect(dead[0]?.headers['dead-topic']).toBe(topic);
  expect(dead[6]?.headers['dead-value-bytes']).toBe('1048400');
});

/** Every record of a topic, as text. */
async function readAll(
  topic: string,
): Promise<{ readonly value: string; readonly headers: Record<string, string> }[]> {
  const admin = kafka().admin();
  await admin.connect();
  const ends = await admin.fetchTopicOffsets(topic);
  await admin.disconnect();
  const count = ends.reduce((sum, { high, low }) => sum + Number(high) - Number(low), 0);
  const consumer = kafka().consumer({ groupId: `witness-${process.pid}-${Date.now()}` });
  const records: { value: string; headers: Record<string, string> }[] = [];
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  await consumer.run({
    eachMessage: ({ message }) => {
      const headers = Object.entries(message.headers ?? {}).map(([name, value]) => [name, String(value)]);
      records.push({
        value: String(message.value),
        headers: Object.fromEntries(headers) as Record<string, string>,
      });
      return Promise.resolve();
    },
  });
  await until('all records of a topic', () => records.length >= count);
  await consumer.disconnect();
  return records;
}

test('an acknowledgement lost with its connection is asked for again, and nothing is there twice', async () => {
  const region = await newRegion();
  const { publish } = open(proxied(region));
  const worker = new RecordingWorker(open(region).queue);
  expect(await publish(event(1, 1))).toBe('ok');
  proxy.breakProduce('cut-after');
  expect(await publish(event(1, 2))).toBe('ok');
  proxy.breakProduce('cut-before');
  expect(await publish(event(1, 3))).toBe('ok');
  expect(await publish(event(1, 4))).toBe('ok');
  await until('all four', () => worker.handed.length >= 4);
  expect(worker.seqs()).toEqual([1, 2, 3, 4]);
});

test('an acknowledgement that never comes is unknown, and what is published next is not taken for its repetition', async () => {
  const region = await newRegion(1);
  const { publish, figure } = open(proxied(region), { publishTimeoutMs: 600 });
  const worker = new RecordingWorker(open(region).queue);
  expect(await publish(event(1, 1))).toBe('ok');
  proxy.breakProduce('mute');
  expect(await publish(event(1, 2))).toBe('unknown');
  // As many records as the lost one had: kafkajs would give them the same sequence number.
  await until('a producer again', async () => (await publish(event(1, 3))) === 'ok');
  expect(await publish(event(1, 4))).toBe('ok');
  await until('all four', () => worker.handed.length >= 4);
  expect(worker.seqs()).toEqual([1, 2, 3, 4]);
  expect(await figure('parley_queue_rebuilds_total', 'part="producer"')).toBe(1);
});

test('what never left is failed, and goes through once the way is open again', async () => {
  const region = await newRegion();
  const { publish } = open(proxied(region), { publishTimeoutMs: 1_000 });
  const worker = new RecordingWorker(open(region).queue);
  proxy.cut();
  expect(await publish(event(1, 1))).toBe('failed');
  expect(await publish(event(1, 2))).toBe('failed');
  proxy.heal();
  await until('a producer again', async () => (await publish(event(1, 3))) === 'ok');
  await until('the record', () => worker.handed.length > 0);
  expect(worker.seqs()).toEqual([3]);
});

test('a topic that does not exist is failed, and ping says what to do', async () => {
  const region = { region: `home-${++homes}`, brokers: [broker.address] };
  const { queue, publish } = open(region, { publishTimeoutMs: 1_000 });
  expect(await publish(event(1, 1))).toBe('failed');
  await expect(queue.ping()).rejects.toThrow(
    `Kafka of region ${region.region} lacks ${deliverTopic(region.region)}: run parley migrate`,
  );
  await makeTopics([region], 1);
  await queue.ping();
});

test('a producer refuses what would not fit into its memory, and drops what is transient before that', async () => {
  const region = await newRegion();
  const { queue, publish, figure } = open(region, { waitingRecords: 100, busyRecords: 20 });
  const fits = publish(...range(1, 100).map((seq) => event(seq, seq)));
  const refused = publish(event(1, 101));
  queue.publishTransient([event(1, 102)]);
  expect(await refused).toBe('failed');
  expect(await fits).toBe('ok');
  expect(await figure('parley_queue_published_total', 'outcome="refused"')).toBe(1);
  expect(await figure('parley_queue_published_total', 'outcome="dropped"')).toBe(1);
});

test('a producer takes what is more than its memory when nothing waits: later it would not fit either', async () => {
  const region = await newRegion();
  const { publish, figure } = open(region, { waitingRecords: 100, waitingBytes: 10_000 });
  const whole = publish(...range(1, 300).map((seq) => event(seq, seq)));
  expect(await publish(event(1, 301))).toBe('failed');
  expect(await whole).toBe('ok');
  expect(await publish(event(1, 301))).toBe('ok');
  expect(await figure('parley_queue_published_total', 'outcome="ok"')).toBe(301);
});

test('a message to many counts once in the memory of a producer, as it is there once', async () => {
  const { publish } = open(await newRegion(), { waitingBytes: 40_000 });
  const toMany = (seq: number): DeliveryEvent[] => {
    const { item } = event(1, seq);
    const long = { ...item, padding: 'A'.repeat(8_000) };
    return range(1, 100).map((user) => ({ ...event(user, seq), item: long }));
  };
  const sent = [publish(...toMany(1)), publish(...toMany(2))];
  expect(await Promise.all(sent)).toEqual(['ok', 'ok']);
});

test('a paused worker gets nothing, stays a member longer than its session, and goes on', async () => {
  const region = await newRegion();
  const { queue, publish, figure } = open(region);
  const worker = new RecordingWorker(queue);
  await publish(event(1, 1));
  await until('the first', () => worker.handed.length === 1);
  worker.membership.pause();
  await publish(...range(2, 50).map((seq) => event(seq, seq)));
  await sleep(2_500);
  expect(worker.handed.length).toBe(1);
  expect(worker.revocations).toBe(0);
  worker.membership.resume();
  await until('the rest', () => worker.handed.length === 50);
  expect(await figure('parley_queue_rebuilds_total')).toBe(0);
});

test('who leaves in order is not waited for', async () => {
  const region = await newRegion(4);
  const { publish } = open(region);
  const leaving = open(region, { sessionTimeoutMs: 120_000, rebalanceTimeoutMs: 120_000 });
  const first = new RecordingWorker(leaving.queue);
  await publish(...range(1, 40).map((seq) => event(seq, seq)));
  await until('all', () => first.handed.length === 40);
  await leaving.queue.drain();
  expect(first.assigned.size).toBe(0);
  const second = new RecordingWorker(open(region).queue);
  await publish(event(1, 41));
  // Longer than anybody waits here: only who has left makes room. And the commit was made before it left.
  await until('the next', () => second.handed.length > 0);
  expect(second.seqs()).toEqual([41]);
});

test('offsets that retention has taken away are passed: the rest is delivered', async () => {
  const region = await newRegion(1);
  const topic = deliverTopic(region.region);
  const { publish } = open(region);
  const first = open(region);
  const worker = new RecordingWorker(first.queue);
  await publish(event(1, 1));
  await until('the first', () => worker.handed.length === 1);
  await first.queue.drain();
  await publish(...range(2, 10).map((seq) => event(1, seq)));
  const admin = kafka().admin();
  await admin.connect();
  await admin.fetchTopicOffsets(topic); // kafkajs deletes only where it knows the leader already
  await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '5' }] });
  await admin.disconnect();
  const second = new RecordingWorker(open(region).queue);
  await until('what is left', () => second.handed.length === 5);
  expect(second.seqs()).toEqual(range(6, 10));
  await until('all finished', async () => (await lagOf(region)) === 0);
});

test('a broker that dies and comes back loses nothing that was acknowledged, and everybody goes on', async () => {
  const region = await newRegion();
  const { queue, publish } = open(region, { publishTimeoutMs: 3_000 });
  const worker = new RecordingWorker(queue);
  const acknowledged: number[] = [];
  let seq = 0;
  let stop = false;
  const traffic = (async () => {
    while (!stop) {
      const mine = range(seq + 1, (seq += 5));
      if ((await publish(...mine.map((each) => event(each % 9, each)))) === 'ok') acknowledged.push(...mine);
      else await sleep(20);
    }
  })();
  await until('some traffic', () => worker.handed.length > 50);
  await broker.kill();
  await sleep(1_000);
  await broker.start();
  const before = acknowledged.length;
  await until('traffic again', () => acknowledged.length > before + 100);
  stop = true;
  await traffic;
  await until('all acknowledged ones', () => {
    const got = new Set(worker.seqs());
    return acknowledged.every((each) => got.has(each));
  });
  await until('all finished', async () => (await lagOf(region)) === 0);
});

test('a region that is cut off holds up nobody else, and catches up', async () => {
  const other = await startTestBroker();
  opened.push(() => other.stop());
  const near = await newRegion(2);
  const far: KafkaRegion = { region: `home-${++homes}`, brokers: [other.address] };
  await makeTopics([near, far], 2).catch(() => undefined);
  const farKafka = { region: near.region, brokers: [other.address] };
  await makeTopics([farKafka], 2);
  const wall = await FaultProxy.start(other.address);
  opened.push(() => wall.close());
  const here = openQueue(near.region, [near, { ...far, connect: wall.connect }]);
  opened.push(() => here.queue.drain());
  const there = openQueue(near.region, [farKafka]);
  opened.push(() => there.queue.drain());
  const worker = new RecordingWorker(here.queue);
  expect(await there.publish(event(1, 1))).toBe('ok');
  expect(await here.publish(event(1, 2))).toBe('ok');
  await until('one of each', () => worker.handed.length === 2);
  wall.cut();
  expect(await there.publish(event(1, 3))).toBe('ok');
  for (const seq of range(4, 20)) expect(await here.publish(event(1, seq))).toBe('ok');
  await until('what is near', () => worker.handed.length === 19);
  expect(worker.seqs().slice(2)).toEqual(range(4, 20));
  wall.heal();
  await until('what is far', () => worker.seqs().includes(3));
});
