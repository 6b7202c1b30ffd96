import { describe, expect, it } from 'vitest';
import { keyedInt } from '../../core/contract/random.ts';
import { EventQueue, eventKey, MAX_TIME } from './event-queue.ts';

function drain(queue: EventQueue): number[] {
  const order: number[] = [];
  while (queue.popUntil(Number.POSITIVE_INFINITY)) order.push(queue.detail);
  return order;
}

describe('EventQueue', () => {
  it('gives events back by time, then tie, then sequence, as a sort would', () => {
    const queue = new EventQueue(10_000);
    const events = Array.from({ length: 3_000 }, (_, i) => ({
      time: keyedInt(1, 1, i, 200),
      // Few values, so that equal (time, tie) occur.
      tie: keyedInt(1, 2, i, 4) * 2 ** 30,
      id: i,
    }));
    for (const event of events)
      queue.push(eventKey(event.time, event.tie), 1, 0, event.id, undefined, undefined);
    const expected = [...events].sort((a, b) => a.time - b.time || a.tie - b.tie || a.id - b.id);
    expect(drain(queue)).toEqual(expected.map((event) => event.id));
  });

  it('keeps the order while pushes and pops alternate, and hands back each payload', () => {
    const queue = new EventQueue(10_000, 4);
    const model: { time: number; id: number }[] = [];
    let popped = 0;
    for (let i = 0; i < 5_000; i++) {
      if (keyedInt(2, 1, i, 5) < 3) {
        const time = popped + keyedInt(2, 2, i, 50);
        queue.push(eventKey(time, 0), 7, 3, i, { id: i }, `c${i}`);
        model.push({ time, id: i });
      } else if (queue.popUntil(Number.POSITIVE_INFINITY)) {
        model.sort((a, b) => a.time - b.time || a.id - b.id);
        const first = model.shift();
        expect(queue.detail).toBe(first?.id);
        expect(queue.payload).toEqual({ id: first?.id });
        expect(queue.context).toBe(`c${first?.id}`);
        expect([queue.kind, queue.target]).toEqual([7, 3]);
        popped = queue.time;
      }
    }
    expect(queue.size).toBe(model.length);
  });

  it('refuses times that are no valid integer, and more events than its limit', () => {
    const queue = new EventQueue(8, 8);
    for (const time of [Number.NaN, -1, 0.5, MAX_TIME, Number.POSITIVE_INFINITY]) {
      expect(() => queue.push(eventKey(time, 0), 0, 0, 0, undefined, undefined)).toThrow(/valid integer/);
    }
    for (let i = 0; i < 8; i++) queue.push(eventKey(i, 0), 0, 0, 0, undefined, undefined);
    expect(() => queue.push(eventKey(9, 0), 0, 0, 0, undefined, undefined)).toThrow(/more than 8/);
  });
});
