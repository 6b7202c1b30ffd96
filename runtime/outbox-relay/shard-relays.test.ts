import { expect, test } from 'vitest';
import { DEFAULT_LIMITS } from '../../core/contract/limits.ts';
import { createMemoryDeliveryQueue } from '../adapters/memory/delivery-queue-memory.ts';
import { DEFAULT_KAFKA_TUNING } from '../adapters/kafka/kafka-options.ts';
import { createHalt } from '../driver/machine-driver.ts';
import { createLogger } from '../observability/logger.ts';
import { createMetrics } from '../observability/metrics.ts';
import { startShardRelays } from './shard-relays.ts';

function start(publishEvents: number): void {
  startShardRelays({
    outboxes: [],
    limits: { ...DEFAULT_LIMITS, publishEvents },
    seed: 1,
    queue: createMemoryDeliveryQueue(),
    metrics: createMetrics(false),
    halt: createHalt(() => undefined),
    log: createLogger('silent', 'test'),
  });
}

test('relays whose publishes the queue could never take do not start', () => {
  const { capacity } = createMemoryDeliveryQueue();
  expect(() => start(capacity)).not.toThrow();
  expect(() => start(capacity + 1)).toThrow(
    `limits.publishEvents is ${capacity + 1}, and the delivery queue takes ${capacity} events at most`,
  );
});

test('what one relay has under way by default fits into any queue', () => {
  const underWay = DEFAULT_LIMITS.publishEvents * DEFAULT_LIMITS.relayPublishes;
  expect(underWay).toBeLessThan(DEFAULT_KAFKA_TUNING.waitingRecords);
  expect(underWay).toBeLessThan(createMemoryDeliveryQueue().capacity);
});
