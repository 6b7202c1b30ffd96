import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { createWakeTimers } from './wake-timers.ts';

const MS = 1_000;

test('a new wake-up replaces a pending one of the same timer and connection, earlier or later', async () => {
  const fired: (readonly [string, number | undefined, number])[] = [];
  const began = performance.now();
  const timers = createWakeTimers<'session' | 'retry'>((timer, conn) => {
    fired.push([timer, conn, Math.round(performance.now() - began)]);
  });
  timers.set('session', 1, 20 * MS);
  timers.set('session', 1, 120 * MS); // later
  timers.set('session', 2, 200 * MS);
  timers.set('session', 2, 40 * MS); // earlier
  timers.set('retry', undefined, 60 * MS);
  timers.set('retry', 1, 80 * MS);
  await sleep(300);
  expect(fired.map(([timer, conn]) => [timer, conn])).toEqual([
    ['session', 2],
    ['retry', undefined],
    ['retry', 1],
    ['session', 1],
  ]);
  expect(fired.at(-1)?.[2]).toBeGreaterThanOrEqual(119);
  timers.stop();
});

test('nothing fires after stop, and a timer may be set again from its own wake-up', async () => {
  let count = 0;
  const timers = createWakeTimers<'tick'>((timer) => {
    count++;
    timers.set(timer, undefined, 5 * MS);
  });
  timers.set('tick', undefined, 0);
  await sleep(60);
  timers.stop();
  const before = count;
  expect(before).toBeGreaterThan(2);
  timers.set('tick', undefined, 0);
  await sleep(30);
  expect(count).toBe(before);
});

test('a deadline beyond what a timer of the runtime can wait for is not due at once', async () => {
  const fired: string[] = [];
  const warnings: string[] = [];
  const onWarning = ({ name }: Error): void => void warnings.push(name);
  process.on('warning', onWarning);
  const timers = createWakeTimers<'far' | 'near'>((timer) => fired.push(timer));
  timers.set('far', undefined, 2 ** 31 * MS);
  timers.set('near', undefined, 50 * MS);
  await expect.poll(() => fired).toEqual(['near']);
  timers.stop();
  process.off('warning', onWarning);
  // The runtime warns of a delay that it makes none of.
  expect(warnings).toEqual([]);
});
