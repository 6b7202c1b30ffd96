import { describe, expect, it } from 'vitest';
import { Engine } from './engine.ts';

const LIMITS = { maxEvents: 1_000, maxPending: 1_000, recentEvents: 4 };

/** Schedules `count` events of one time at each of two targets and gives the order in which they ran. */
function orderOfTies(seed: number, count: number): string[] {
  const engine = new Engine(seed, 2, LIMITS);
  for (let i = 0; i < count; i++) {
    engine.schedule(10, 1, 0, i, undefined, undefined);
    engine.schedule(10, 1, 1, i, undefined, undefined);
  }
  const order: string[] = [];
  engine.runUntil(100, {
    dispatch(_kind, target, detail) {
      order.push(`${target}.${detail}`);
      return true;
    },
  });
  return order;
}

describe('Engine', () => {
  it('explores the orders of equal times by seed, and replays each', () => {
    expect(orderOfTies(1, 20)).toEqual(orderOfTies(1, 20));
    expect(orderOfTies(1, 20)).not.toEqual(orderOfTies(2, 20));
  });

  it('does not reorder the events of one target when another target gets more', () => {
    const few = orderOfTies(3, 5).filter((name) => name.startsWith('0.'));
    const engine = new Engine(3, 2, LIMITS);
    for (let i = 0; i < 5; i++) engine.schedule(10, 1, 0, i, undefined, undefined);
    for (let i = 0; i < 50; i++) engine.schedule(10, 1, 1, i, undefined, undefined);
    const order: string[] = [];
    engine.runUntil(100, {
      dispatch(_kind, target, detail) {
        if (target === 0) order.push(`0.${detail}`);
        return true;
      },
    });
    expect(order).toEqual(few);
  });

  it('refuses NaN and negative delays and times in the past', () => {
    const engine = new Engine(1, 1, LIMITS);
    expect(() => engine.schedule(Number.NaN, 1, 0, 0, undefined, undefined)).toThrow(/delay/);
    expect(() => engine.schedule(-1, 1, 0, 0, undefined, undefined)).toThrow(/delay/);
    engine.runUntil(50, { dispatch: () => true });
    expect(engine.now).toBe(50);
    expect(() => engine.scheduleAt(49, 1, 0, 0, undefined, undefined)).toThrow(/past/);
  });

  it('ends with `budget` when events breed without end, and keeps the last ones', () => {
    const engine = new Engine(1, 1, LIMITS);
    engine.schedule(0, 9, 0, 0, undefined, undefined);
    const pause = engine.runUntil(Number.POSITIVE_INFINITY, {
      dispatch(_kind, _target, detail) {
        engine.schedule(1, 9, 0, detail + 1, undefined, undefined);
        return true;
      },
    });
    expect(pause).toBe('budget');
    expect(engine.events).toBe(1_000);
    expect(engine.recent?.list().map((event) => event.detail)).toEqual([996, 997, 998, 999]);
  });

  it('gives another hash as soon as one time differs', () => {
    const hashOf = (second: number): string => {
      const engine = new Engine(1, 1, LIMITS);
      engine.schedule(1, 1, 0, 0, undefined, undefined);
      engine.schedule(second, 1, 0, 0, undefined, undefined);
      engine.runUntil(100, { dispatch: () => true });
      return engine.hash.text;
    };
    expect(hashOf(2)).toBe(hashOf(2));
    expect(hashOf(2)).not.toBe(hashOf(3));
    expect(hashOf(2)).toMatch(/^[0-9a-f]{16}$/);
  });
});
