import { describe, test } from 'vitest';
import { type Tale, threeDevices } from './tale.ts';
import { everywhere, expectRed } from './testing/expect-red.ts';

describe('receipts-monotone', () => {
  const NAME = 'receipts-monotone';
  const two = (): Tale => {
    const tale = everywhere(threeDevices().sent('c_1', 1, 'm_1'), 1);
    return everywhere(tale.sent('c_1', 2, 'm_2'), 2).watermark('u_2', 'c_1', 2, 'm_2', 'DELIVERED');
  };

  test('a receipt is counted twice', () => {
    expectRed(two().watermark('u_2', 'c_1', 2, 'm_2', 'DELIVERED'), NAME, /saved a second time/);
  });

  test('a watermark goes back', () => {
    expectRed(two().watermark('u_2', 'c_1', 1, 'm_1', 'DELIVERED'), NAME, /saved after it/);
  });

  test('READ without DELIVERED', () => {
    const tale = everywhere(threeDevices().sent('c_1', 1, 'm_1'), 1).watermark(
      'u_2',
      'c_1',
      1,
      'm_1',
      'READ',
    );
    expectRed(tale.end(), NAME, /DELIVERED is at seq 0/);
  });

  test('a receipt for what no device of the user has got', () => {
    const tale = threeDevices().sent('c_1', 1, 'm_1').watermark('u_2', 'c_1', 1, 'm_1', 'DELIVERED');
    expectRed(tale, NAME, /DELIVERED of u_2 at seq 1/);
  });

  test('a receipt for another message than the one at that seq', () => {
    const tale = everywhere(threeDevices().sent('c_1', 1, 'm_1'), 1);
    expectRed(
      everywhere(tale.sent('c_1', 2, 'm_2'), 2).watermark('u_2', 'c_1', 2, 'm_1', 'READ'),
      NAME,
      /names m_1/,
    );
  });

  test('a device confirms what it does not show', () => {
    expectRed(
      threeDevices().sent('c_1', 1, 'm_1').confirm('d_2', 'c_1', 'm_1', 'DELIVERED'),
      NAME,
      /for m_1 at seq 1/,
    );
  });

  test('a device is shown a receipt that nobody gave', () => {
    expectRed(
      two().receiptShown('d_1', 'u_2', 'c_1', 2, 'm_2', 'READ'),
      NAME,
      /d_1 of u_1 is shown READ of u_2/,
    );
  });
});
