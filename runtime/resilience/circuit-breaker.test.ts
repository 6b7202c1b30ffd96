import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { CircuitBreaker } from './circuit-breaker.ts';

let answers: 'yes' | 'no' | 'nothing';
let probes: number;
let told: string[];
let breaker: CircuitBreaker;

beforeEach(() => {
  vi.useFakeTimers();
  answers = 'no';
  probes = 0;
  told = [];
});
afterEach(() => {
  breaker.stop();
  vi.useRealTimers();
});

function create(suspicious = false): CircuitBreaker {
  return new CircuitBreaker({
    silenceMs: 1_000,
    probeBaseMs: 100,
    probeMaxMs: 400,
    suspicious,
    probe: () => {
      probes++;
      if (answers === 'yes') return Promise.resolve();
      return answers === 'no' ? Promise.reject(new Error('it says no')) : new Promise(() => {});
    },
    onOpen: (reason) => told.push(`open: ${reason}`),
    onClose: () => told.push('closed'),
  });
}

test('opens when calls get no answer, and closes with the first probe that does', async () => {
  breaker = create();
  breaker.began();
  await vi.advanceTimersByTimeAsync(999);
  expect(breaker.closed).toBe(true);
  await vi.advanceTimersByTimeAsync(1);
  expect(told).toEqual(['open: no answer for 1000 ms']);
  await vi.advanceTimersByTimeAsync(5_000);
  expect(probes).toBeGreaterThan(5);
  expect(breaker.closed).toBe(false);
  answers = 'yes';
  await vi.advanceTimersByTimeAsync(400);
  expect(told).toEqual(['open: no answer for 1000 ms', 'closed']);
});

test('stays closed while anything is answered, however slow something else is, and while nobody asks', async () => {
  breaker = create();
  await vi.advanceTimersByTimeAsync(10_000);
  breaker.began();
  for (let i = 0; i < 20; i++) {
    breaker.began();
    await vi.advanceTimersByTimeAsync(900);
    breaker.ended(true);
  }
  breaker.ended(true);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(told).toEqual([]);
  expect(probes).toBe(0);
});

test('answers that come from nobody do not count as life', async () => {
  breaker = create();
  breaker.began();
  for (let i = 0; i < 5; i++) {
    breaker.began();
    breaker.ended(false);
    await vi.advanceTimersByTimeAsync(300);
  }
  expect(breaker.closed).toBe(false);
});

test('a suspicious one probes at the first failure, and believes the probe', async () => {
  breaker = create(true);
  answers = 'yes';
  breaker.began();
  breaker.ended(false);
  await vi.advanceTimersByTimeAsync(0);
  expect([probes, told]).toEqual([1, []]);
  answers = 'no';
  breaker.began();
  breaker.ended(false);
  await vi.advanceTimersByTimeAsync(0);
  expect(told).toEqual(['open: it says no']);
});

test('a probe without an answer is given up and tried again', async () => {
  breaker = create();
  answers = 'nothing';
  breaker.open('asked to');
  await vi.advanceTimersByTimeAsync(3_000);
  expect(probes).toBeGreaterThan(1);
  answers = 'yes';
  await vi.advanceTimersByTimeAsync(1_500);
  expect(breaker.closed).toBe(true);
});
