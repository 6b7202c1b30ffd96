import { describe, expect, test } from 'vitest';
import { threeDevices } from './tale.ts';
import { expectRed } from './testing/expect-red.ts';

describe('bounded', () => {
  test('a queue over its limit, or without a length', () => {
    expectRed(threeDevices().gauge('in flight', 257, 256), 'bounded', /it is 257/);
    expect(threeDevices().gauge('in flight', 256, 256).judged()).toBeUndefined();
  });
});
