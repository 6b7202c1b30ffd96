import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createFetchPace } from './fetch-pace.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout'] });
});
afterEach(() => {
  vi.useRealTimers();
});

async function isOver({ over }: { readonly over: Promise<unknown> }): Promise<boolean> {
  let settled = false;
  over.then(
    () => (settled = true),
    () => undefined,
  );
  await new Promise(setImmediate);
  return settled;
}

test('a fetch that brought records is followed by the next one after the gap', async () => {
  const pace = createFetchPace(15);
  pace.fetched(3);
  vi.advanceTimersByTime(14);
  expect(await isOver(pace)).toBe(false);
  vi.advanceTimersByTime(1);
  expect(await isOver(pace)).toBe(true);
});

test('one that brought nothing is followed at once', async () => {
  const pace = createFetchPace(15);
  expect(await isOver(pace)).toBe(true);
  pace.fetched(0);
  expect(await isOver(pace)).toBe(true);
});
