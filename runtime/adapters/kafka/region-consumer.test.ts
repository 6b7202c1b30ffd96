import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createLogger } from '../../observability/logger.ts';
import { createMetrics } from '../../observability/metrics.ts';
import type { TracedRecord } from '../../ports/delivery-queue.ts';
import type { ConsumerSession, ConsumerSessionEvents } from './consumer-session.ts';
import { DEFAULT_KAFKA_TUNING } from './kafka-options.ts';
import { createRegionConsumer } from './region-consumer.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const NEVER = new Promise<never>(() => undefined);

/** A consumer whose sessions a test directs. Commits are never answered. */
function start() {
  const sessions: ConsumerSessionEvents[] = [];
  const handed: TracedRecord[] = [];
  const session: ConsumerSession = {
    commit: () => NEVER,
    heardMs: Number.POSITIVE_INFINITY,
    pause: () => undefined,
    resume: () => undefined,
    leave: () => Promise.resolve(),
    cut: () => undefined,
  };
  const consumer = createRegionConsumer({
    region: { region: 'eu', brokers: [] },
    home: 'eu',
    clientId: 'test',
    consumer: {
      assigned: () => undefined,
      revoked: () => undefined,
      records: (_partition, _generation, records) => void handed.push(...records),
    },
    numberOf: (partition) => partition,
    nextGeneration: () => 1,
    deadLetters: { write: () => undefined, room: () => Promise.resolve(), close: () => undefined },
    tuning: { ...DEFAULT_KAFKA_TUNING, rebuildBaseMs: 1, rebuildMaxMs: 1, commitMs: 1, drainMs: 20 },
    metrics: createMetrics(false),
    log: createLogger('silent', 'test'),
    openSession: (_options, events) => {
      sessions.push(events);
      return session;
    },
  });
  return { consumer, sessions, handed };
}

const RECORD = {
  key: Buffer.from('u_1'),
  value: Buffer.from('{"kind":"typing","chatId":"c_1","from":"u_2"}'),
  offset: '0',
  timestamp: '0',
  attributes: 0,
  headers: {},
};

test('a record is handed over with the trace context that it came with', async () => {
  const { consumer, sessions, handed } = start();
  const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
  const traced = { ...RECORD, offset: '1', headers: { traceparent: Buffer.from(traceparent) } };
  await sessions[0]?.records(0, 0, [RECORD, traced]);
  expect(handed).toMatchObject([{ offset: 0 }, { offset: 1, traceparent }]);
  expect(handed[0]).not.toHaveProperty('traceparent');
  await consumer.leave();
});

test('a session that fails is followed by another', async () => {
  const { consumer, sessions } = start();
  sessions[0]?.failed(new Error('gone'));
  await vi.advanceTimersByTimeAsync(1_000);
  expect(sessions).toHaveLength(2);
  await consumer.leave();
});

// It would be a member that nobody holds any more: its partitions would be read by nobody until the process ends.
test('a session that fails while its last commit is waited for is followed by none', async () => {
  const { consumer, sessions } = start();
  await sessions[0]?.records(0, 0, [RECORD]);
  consumer.commit(0, 1, 1);
  const leaving = consumer.leave();
  sessions[0]?.failed(new Error('gone'));
  await vi.advanceTimersByTimeAsync(1_000);
  await leaving;
  expect(sessions).toHaveLength(1);
});
