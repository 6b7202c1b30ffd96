import { expect, test } from 'vitest';
import { recordedSpan, type ReplayedRecording } from './replay-recording.ts';

const machine = (firstAt: number, lastAt: number, steps = 10): ReplayedRecording => ({
  machine: 'gateway',
  steps,
  firstAt,
  lastAt,
  difference: undefined,
});

test('machines that ran side by side ran for as long as from the first step to the last', () => {
  expect(recordedSpan([machine(1_000, 5_000), machine(2_000, 6_000)])).toBe(5_000);
  expect(recordedSpan([machine(1_000, 5_000), machine(1_000, 5_000)])).toBe(4_000);
});

test('a machine that was told nothing does not stretch the time', () => {
  expect(recordedSpan([machine(0, 0, 0), machine(2_000, 6_000)])).toBe(4_000);
  expect(recordedSpan([machine(0, 0, 0)])).toBe(0);
  expect(recordedSpan([])).toBe(0);
});
