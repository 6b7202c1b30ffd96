import { Kafka, logLevel } from 'kafkajs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { deliverTopic } from '../adapters/kafka/kafka-options.ts';
import { until } from '../adapters/kafka/testing/queue-under-test.ts';
import { callHttp } from '../client/http-calls.ts';
import { startTraceCollector, type TraceCollector } from '../observability/testing/trace-collector.ts';
import { connectRaw, fetchDevToken } from './raw-device.ts';
import { startTestCluster, type TestCluster } from './test-cluster.ts';

/** One message through every role, each a process of its own, as a collector of traces sees it. */

let collector: TraceCollector;
let cluster: TestCluster;

beforeAll(async () => {
  collector = await startTraceCollector();
  cluster = await startTestCluster({ regions: 1, traces: collector.url });
});
afterAll(async () => {
  await cluster.stop();
  await collector.close();
});

test('a message is one trace: every role it passes has its span in it, and its records carry it on', async () => {
  const [url] = cluster.gateways as [string];
  const token = await fetchDevToken(url, 'u_1');
  const body = { kind: 'direct', members: ['u_2'] };
  const { chatId } = await callHttp<{ chatId: string }>(url, 'POST', '/v1/chats', { token, body });
  const [from, to] = [await connectRaw({ url, user: 'u_1' }), await connectRaw({ url, user: 'u_2' })];
  const clientMsgId = crypto.randomUUID();
  from.send({ frame: 'SEND', clientMsgId, chatId, ciphertext: 'AAAA', mediaIds: [] });
  await from.next(({ frame }) => frame === 'ACK');
  const { serverMsgId } = await to.next(({ frame }) => frame === 'MESSAGE');
  to.send({ frame: 'RECEIPT', chatId, serverMsgId, type: 'DELIVERED' });

  const traceId = clientMsgId.replaceAll('-', '');
  const mine = () => collector.spans.filter((span) => span.traceId === traceId);
  const names = (): string[] =>
    [...new Set(mine().map(({ service, name }) => `${service}: ${name}`))].toSorted();
  const expected = [
    'parley-delivery-worker: message deliver',
    'parley-gateway: message ack',
    'parley-gateway: message push',
    'parley-message-service: message append',
    'parley-outbox-relay: message outbox',
    'parley-outbox-relay: message publish',
  ];
  await until('a span of every role', () => names().length >= expected.length);
  expect(names()).toEqual(expected);
  const root = mine().find(({ name }) => name === 'message ack');
  for (const span of mine()) if (span !== root) expect(span.parentSpanId).toBe(root?.spanId);
  const deliver = mine().find(({ name }) => name === 'message deliver');
  expect(deliver?.links).toMatchObject([{ traceId, spanId: root?.spanId }]);
  expect(await traceparents()).toContain(`00-${traceId}-${root?.spanId}-01`);
});

/** What the records of the queue say about their traces. */
async function traceparents(): Promise<string[]> {
  const { engines, regions } = cluster.plan;
  const kafka = new Kafka({
    brokers: engines[0]?.kafka ?? [],
    clientId: 'witness',
    logLevel: logLevel.NOTHING,
  });
  const consumer = kafka.consumer({ groupId: `witness-${crypto.randomUUID()}` });
  const found: string[] = [];
  await consumer.connect();
  await consumer.subscribe({ topics: regions.map(deliverTopic), fromBeginning: true });
  await consumer.run({
    eachMessage({ message }) {
      const { traceparent } = message.headers ?? {};
      if (traceparent !== undefined) found.push(String(traceparent));
      return Promise.resolve();
    },
  });
  await until('a record with a trace', () => found.length > 0);
  await consumer.disconnect();
  return found;
}
