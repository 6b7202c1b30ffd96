import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { chatId, userId } from '../../../core/contract/ids.ts';
import type { DeliveryEvent } from '../../../core/contract/records.ts';
import type { QueueRecord } from '../../../core/delivery/delivery-event.ts';
import type { DeliveryQueue, QueueMembership } from '../../ports/delivery-queue.ts';
import { createMemoryDeliveryQueue } from './delivery-queue-memory.ts';

const event = (user: number, n: number): DeliveryEvent => ({
  recipient: userId(`u_${user}`),
  item: { kind: 'typing', chatId: chatId(`c_${n}`), from: userId('u_0') },
});
const publish = (queue: DeliveryQueue, events: DeliveryEvent[]): Promise<string> =>
  new Promise((resolve) => queue.publish(events, resolve));
const chatOf = ({ event: { item } }: QueueRecord): string => (item.kind === 'typing' ? item.chatId : '');

interface Consumer {
  readonly got: string[];
  readonly partitions: Map<number, number>;
  readonly records: (readonly [number, number, QueueRecord])[];
  readonly membership: QueueMembership;
}

function join(queue: DeliveryQueue): Consumer {
  const got: string[] = [];
  const records: (readonly [number, number, QueueRecord])[] = [];
  const partitions = new Map<number, number>();
  const membership = queue.join({
    assigned: (partition, generation) => void partitions.set(partition, generation),
    revoked: (partition) => void partitions.delete(partition),
    records(partition, generation, batch) {
      for (const record of batch) {
        got.push(`${record.event.recipient} ${chatOf(record)}`);
        records.push([partition, generation, record]);
      }
    },
  });
  return { got, records, partitions, membership };
}

test('events of one recipient stay in order, whatever lies between', async () => {
  const queue = createMemoryDeliveryQueue();
  const consumer = join(queue);
  const events = Array.from({ length: 3_000 }, (_, n) => event(n % 7, n));
  expect(await publish(queue, events)).toBe('ok');
  await sleep(10);
  expect(consumer.got).toHaveLength(3_000);
  for (let user = 0; user < 7; user++) {
    const mine = consumer.got.filter((line) => line.startsWith(`u_${user} `));
    expect(mine).toEqual(
      events
        .filter(({ recipient }) => recipient === `u_${user}`)
        .map(({ recipient, item }) => `${recipient} ${item.kind === 'typing' ? item.chatId : ''}`),
    );
  }
  expect(queue.depth()).toBe(3_000);
  for (const [partition, generation, { offset }] of consumer.records)
    consumer.membership.commit(partition, generation, offset + 1);
  expect(queue.depth()).toBe(0);
});

test('what is not committed comes again to whoever takes the partition over; a stale commit is void', async () => {
  const queue = createMemoryDeliveryQueue();
  const first = join(queue);
  await publish(queue, [event(1, 1), event(1, 2), event(1, 3)]);
  await sleep(5);
  const [partition, generation] = first.records[0] as readonly [number, number, QueueRecord];
  first.membership.commit(partition, generation, 1);
  first.membership.leave();
  const second = join(queue);
  await sleep(5);
  expect(second.got).toEqual(['u_1 c_2', 'u_1 c_3']);
  first.membership.commit(partition, generation, 3);
  second.membership.commit(partition, generation, 3);
  expect(queue.depth()).toBe(2);
  second.membership.commit(partition, second.partitions.get(partition) ?? -1, 3);
  expect(queue.depth()).toBe(0);
});

test('partitions are dealt over the members', async () => {
  const queue = createMemoryDeliveryQueue();
  const [a, b] = [join(queue), join(queue)];
  await sleep(5);
  expect(a.partitions.size).toBe(4);
  expect(b.partitions.size).toBe(4);
  expect([...a.partitions.keys()].some((partition) => b.partitions.has(partition))).toBe(false);
});

test('a paused member gets nothing until it resumes', async () => {
  const queue = createMemoryDeliveryQueue();
  const consumer = join(queue);
  await sleep(1);
  consumer.membership.pause();
  await publish(queue, [event(1, 1)]);
  await sleep(5);
  expect(consumer.got).toEqual([]);
  consumer.membership.resume();
  await sleep(5);
  expect(consumer.got).toEqual(['u_1 c_1']);
});

test('a full queue refuses, so that the outbox keeps the rows', async () => {
  const queue = createMemoryDeliveryQueue();
  const many = Array.from({ length: 100_000 }, (_, n) => event(n, n));
  expect(await publish(queue, many)).toBe('ok');
  expect(await publish(queue, many)).toBe('ok');
  expect(await publish(queue, [event(1, 1)])).toBe('failed');
  queue.publishTransient([event(1, 1)]);
  expect(queue.depth()).toBe(200_000);
});
