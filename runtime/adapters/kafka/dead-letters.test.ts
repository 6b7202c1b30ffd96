import type { IHeaders, KafkaMessage } from 'kafkajs';
import { expect, test } from 'vitest';
import { createLogger } from '../../observability/logger.ts';
import { createMetrics } from '../../observability/metrics.ts';
import { createDeadLetters } from './dead-letters.ts';
import { DEFAULT_KAFKA_TUNING } from './kafka-options.ts';
import type { Publisher } from './publisher.ts';
import type { OutgoingRecord } from './record-codec.ts';

const MOST = DEFAULT_KAFKA_TUNING.batchBytes;
/** What a broker takes with its defaults (`message.max.bytes`). */
const BROKER_BYTES = 1_048_588;

/** @returns the dead letter that becomes of a record. */
function letterOf(key: string, value: Buffer, headers: IHeaders = {}): OutgoingRecord['message'] {
  const written: OutgoingRecord[] = [];
  const publisher: Publisher = {
    publish: (records) => void written.push(...records),
    publishTransient: () => undefined,
    waiting: 0,
    close: () => Promise.resolve(),
  };
  const deadLetters = createDeadLetters({
    publisher,
    tuning: DEFAULT_KAFKA_TUNING,
    metrics: createMetrics(false),
    log: createLogger('silent', 'test'),
  });
  const record = { key: Buffer.from(key), value, headers, offset: '7' } as unknown as KafkaMessage;
  const source = { region: 'eu', topic: 'parley.deliver.eu', partition: 3 };
  deadLetters.write(source, record, { kind: 'poison', reason: 'json', detail: 'no JSON' }, () => undefined);
  expect(written).toHaveLength(1);
  return written[0]!.message;
}

function sizeOf({ key, value, headers }: OutgoingRecord['message']): number {
  return key.length + value.length + Buffer.byteLength(JSON.stringify(headers));
}

test('a record goes to the dead letters as it was', () => {
  const value = Buffer.alloc(MOST - 2, 'x');
  const letter = letterOf('u_1', value, { a: 'b' });
  expect(letter.key).toBe('u_1');
  expect(letter.value.equals(value)).toBe(true);
  expect(letter.headers).toEqual({
    a: 'b',
    'dead-reason': 'json',
    'dead-detail': 'no JSON',
    'dead-region': 'eu',
    'dead-topic': 'parley.deliver.eu',
    'dead-partition': '3',
    'dead-offset': '7',
  });
});

// Else the broker refuses it for ever, and the commits of its partition wait as long.
test('a record that would not fit with our headers is cut, and says how long it was', () => {
  const letter = letterOf('u_1', Buffer.alloc(BROKER_BYTES - 100, 'x'), { a: 'b' });
  expect(sizeOf(letter)).toBeLessThan(BROKER_BYTES - 10_000);
  expect(letter.value).toHaveLength(MOST - 2);
  expect(letter.headers).toMatchObject({ a: 'b', 'dead-offset': '7', 'dead-value-bytes': '1048488' });
});

test('headers and keys that would not fit are told of by their size', () => {
  const letter = letterOf('k'.repeat(100_000), Buffer.from('{}'), { a: ['b'.repeat(500_000), 'c'] });
  expect(sizeOf(letter)).toBeLessThan(2_000);
  expect(letter.key).toBe('k'.repeat(256));
  expect(letter.value.toString()).toBe('{}');
  expect(letter.headers).not.toHaveProperty('a');
  expect(letter.headers).toMatchObject({ 'dead-key-characters': '100000', 'dead-header-bytes': '500003' });
});
