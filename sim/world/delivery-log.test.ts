import { describe, expect, it } from 'vitest';
import { chatId, userId } from '../../core/contract/ids.ts';
import type { DeliveryEvent } from '../../core/contract/records.ts';
import { Partition, partitionOf } from './delivery-log.ts';

const event = (n: number): DeliveryEvent => ({
  recipient: userId(`u_${n}`),
  item: { kind: 'typing', chatId: chatId('c_1'), from: userId('u_0') },
});

describe('Partition', () => {
  it('hands out records once and in order, with holes between their offsets', () => {
    const partition = new Partition(0);
    [0, 1, 0, 2].forEach((skip, i) => partition.append(event(i), skip));
    expect(partition.take(3).map((record) => record.offset)).toEqual([0, 2, 3]);
    expect(partition.take(3).map((record) => record.offset)).toEqual([6]);
    expect(partition.hasNext()).toBe(false);
  });

  it('hands out again what was not committed, and nothing else, after a rewind', () => {
    const partition = new Partition(0);
    for (let i = 0; i < 1_000; i++) partition.append(event(i), 0);
    partition.take(900);
    partition.commit(700);
    expect(partition.lag).toBe(300);
    expect(partition.rewind()).toBe(200);
    expect(partition.take(1)[0]?.offset).toBe(700);
  });

  it('gives the offsets again that it lost with its leader, and hands out what is written there then', () => {
    const partition = new Partition(0);
    for (let i = 0; i < 3; i++) partition.append(event(i), 0);
    partition.take(3);
    const { end } = partition;
    partition.append(event(3), 0);
    partition.append(event(4), 0);
    partition.take(1);
    partition.loseFrom(end);
    expect(partition.hasNext()).toBe(false);
    partition.append(event(5), 0);
    expect(partition.records.map(({ offset }) => offset)).toEqual([0, 1, 2, 3]);
    expect(partition.take(9)).toEqual([{ offset: 3, event: event(5) }]);
  });

  it('puts everything for one recipient into one partition', () => {
    const used = new Set(Array.from({ length: 100 }, (_, i) => partitionOf(`u_${i}`, 4)));
    expect(used).toEqual(new Set([0, 1, 2, 3]));
    expect(partitionOf('u_7', 4)).toBe(partitionOf('u_7', 4));
  });
});
