import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type GroupKind, GroupLane, type GroupOutcome } from './group-lane.ts';
import { DEFAULT_POSTGRES_LIMITS } from './postgres-limits.ts';
import type { StoreConnection } from './store-connection.ts';

type End = (outcome: GroupOutcome<string>) => void;

/** A lane over connections that are always there; what it runs ends when the test says so. */
function laneOf(more: Partial<GroupKind<number, string>> = {}, connections = 1) {
  const groups: { readonly requests: readonly number[]; readonly end: End }[] = [];
  const kind: GroupKind<number, string> = {
    name: 'test',
    failed: 'failed',
    unknown: 'unknown',
    items: (request) => request,
    bytes: () => 0,
    keys: () => [],
    run: (_, requests, end) => void groups.push({ requests, end }),
    ...more,
  };
  const connection = { ready: true, readyListeners: [], open: () => undefined };
  const several = Array.from({ length: connections }, () => connection as unknown as StoreConnection);
  const lane = new GroupLane(kind, several, {
    limits: DEFAULT_POSTGRES_LIMITS,
    log: pino({ level: 'silent' }),
    metrics: undefined,
  });
  const submit = (...requests: number[]): void => {
    for (const request of requests) lane.submit(request, () => undefined);
  };
  const sizes = (): number[] => groups.map(({ requests }) => requests.length);
  /** Ends the last group after so many milliseconds, well unless it is said to fail. */
  const endAfter = (ms: number, failure?: Extract<GroupOutcome<string>, { kind: 'failed' }>): void => {
    vi.advanceTimersByTime(ms);
    const last = groups.at(-1);
    last?.end(failure ?? { kind: 'done', results: last.requests.map(() => 'ok') });
  };
  return { submit, sizes, endAfter };
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('after a group, a lane', () => {
  test('leaves the store alone for twice as long as the group took: what comes meanwhile goes together', () => {
    const { submit, sizes, endAfter } = laneOf();
    submit(1);
    vi.advanceTimersByTime(0);
    expect(sizes()).toEqual([1]);
    endAfter(4);
    for (let ms = 0; ms < 7; ms++) {
      submit(1);
      vi.advanceTimersByTime(1);
    }
    expect(sizes()).toEqual([1]);
    vi.advanceTimersByTime(1);
    expect(sizes()).toEqual([1, 7]);
  });

  test('that was slow waits no longer than the limit', () => {
    const { submit, sizes, endAfter } = laneOf();
    submit(1);
    vi.advanceTimersByTime(0);
    endAfter(2_000);
    submit(1);
    vi.advanceTimersByTime(29);
    expect(sizes()).toEqual([1]);
    vi.advanceTimersByTime(1);
    expect(sizes()).toEqual([1, 1]);
  });

  test('and a silence waits for nobody', () => {
    const { submit, sizes, endAfter } = laneOf();
    submit(1);
    vi.advanceTimersByTime(0);
    endAfter(10);
    vi.advanceTimersByTime(20);
    submit(1);
    vi.advanceTimersByTime(0);
    expect(sizes()).toEqual([1, 1]);
  });

  test('with much to do goes on at once', () => {
    const { submit, sizes, endAfter } = laneOf();
    submit(1);
    vi.advanceTimersByTime(0);
    submit(DEFAULT_POSTGRES_LIMITS.groupItems);
    endAfter(10);
    vi.advanceTimersByTime(0);
    expect(sizes()).toEqual([1, 1]);
  });

  test('repeats the halves of one that failed at once', () => {
    const { submit, sizes, endAfter } = laneOf();
    submit(1, 1);
    vi.advanceTimersByTime(0);
    endAfter(10, { kind: 'failed', cause: 'content', error: new Error('one of them is bad') });
    vi.advanceTimersByTime(0);
    expect(sizes()).toEqual([2, 1]);
  });
});

describe('a lane that keeps a pace', () => {
  test('puts what comes close behind a group of several into one, however quick the store', () => {
    const { submit, sizes, endAfter } = laneOf({ paceMs: 20 });
    submit(1, 1);
    vi.advanceTimersByTime(0);
    endAfter(1);
    for (let ms = 0; ms < 19; ms++) {
      submit(1);
      vi.advanceTimersByTime(1);
    }
    expect(sizes()).toEqual([2]);
    vi.advanceTimersByTime(1);
    expect(sizes()).toEqual([2, 19]);
  });

  test('lets a lone caller go on', () => {
    const { submit, sizes, endAfter } = laneOf({ paceMs: 20 });
    submit(1);
    vi.advanceTimersByTime(0);
    endAfter(1);
    submit(1);
    vi.advanceTimersByTime(2);
    expect(sizes()).toEqual([1, 1]);
  });

  test('goes by what a group was about where one call is about many things', () => {
    const { submit, sizes, endAfter } = laneOf({ paceMs: 20, count: (results) => 5 * results.length });
    submit(1);
    vi.advanceTimersByTime(0);
    endAfter(1);
    submit(1);
    vi.advanceTimersByTime(19);
    expect(sizes()).toEqual([1]);
    vi.advanceTimersByTime(1);
    expect(sizes()).toEqual([1, 1]);
  });

  test('begins a second group beside the first only when it is worth it', () => {
    const { submit, sizes, endAfter } = laneOf({ paceMs: 20 }, 2);
    const worth = DEFAULT_POSTGRES_LIMITS.groupItems / 32;
    submit(1);
    vi.advanceTimersByTime(0);
    submit(worth - 1);
    vi.advanceTimersByTime(100);
    expect(sizes()).toEqual([1]);
    submit(1);
    vi.advanceTimersByTime(0);
    expect(sizes()).toEqual([1, 2]);
    // What waits behind both goes on with whichever ends.
    submit(1);
    endAfter(1);
    vi.advanceTimersByTime(100);
    expect(sizes()).toEqual([1, 2]);
  });

  test('counts what waits through groups that it took and calls that it answered', () => {
    const { submit, sizes, endAfter } = laneOf({ paceMs: 20 }, 2);
    const worth = DEFAULT_POSTGRES_LIMITS.groupItems / 32;
    for (let round = 0; round < 3; round++) {
      submit(worth);
      vi.advanceTimersByTime(100);
      endAfter(1);
    }
    submit(1);
    vi.advanceTimersByTime(100);
    submit(1);
    vi.advanceTimersByTime(100);
    expect(sizes()).toEqual([1, 1, 1, 1]);
  });
});
