import { describe, expect, test } from 'vitest';
import { DEFAULT_LIMITS } from '../../core/contract/limits.ts';
import { threeDevices } from './tale.ts';
import { expectRed } from './testing/expect-red.ts';

describe('tokens-are-honoured', () => {
  const NAME = 'tokens-are-honoured';
  const bound = Math.max(DEFAULT_LIMITS.heartbeat, DEFAULT_LIMITS.resumeTimeout);

  test('a session goes on for long after its token ran out', () => {
    const tale = threeDevices()
      .wait(2 * bound)
      .outlived('d_2', bound + 1);
    expectRed(tale, NAME, /goes on 15\.000 s after that/);
  });

  test('a gateway is late, or a fault explains it', () => {
    expect(
      threeDevices()
        .wait(2 * bound)
        .outlived('d_2', bound)
        .judged(),
    ).toBeUndefined();
    const tale = threeDevices()
      .wait(2 * bound)
      .fault(1)
      .outlived('d_2', 2 * bound)
      .fault(0);
    expect(tale.outlived('d_2', 2 * bound).judged()).toBeUndefined();
  });
});
