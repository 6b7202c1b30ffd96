import { describe, expect, test } from 'vitest';
import { MILLISECOND } from '../../core/contract/time.ts';
import { type Tale, threeDevices } from './tale.ts';
import { everywhere, expectRed, healed } from './testing/expect-red.ts';

describe('latency', () => {
  const NAME = 'latency';
  const load = (slow: number, faults = false): Tale => {
    const tale = threeDevices();
    for (let seq = 1; seq <= 100; seq++) {
      if (faults && seq % 10 === 0) tale.fault(1).fault(0);
      tale.sent('c_1', seq, `m_${seq}`).wait(seq <= slow ? 600 * MILLISECOND : 0);
      everywhere(tale, seq);
    }
    return tale;
  };

  test('more than one delivery in a hundred is slow', () => {
    expectRed(healed(load(2)), NAME, /4 of 200 took longer/);
  });

  test('one in a hundred may be', () => {
    expect(healed(load(1)).judged()).toBeUndefined();
  });

  test('deliveries near a fault are not timed', () => {
    expect(healed(load(100, true)).judged()).toBeUndefined();
  });
});
