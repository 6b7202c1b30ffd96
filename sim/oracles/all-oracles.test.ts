import { describe, expect, test } from 'vitest';
import { OPEN_END } from '../../core/contract/records.ts';
import { threeDevices } from './tale.ts';
import { everywhere, healed } from './testing/expect-red.ts';

describe('a good history', () => {
  test('with messages, receipts, presence and a late joiner breaks no promise', () => {
    const tale = threeDevices().sent('c_1', 1, 'm_1');
    everywhere(tale, 1)
      .confirm('d_2', 'c_1', 'm_1', 'DELIVERED')
      .cursor('d_2', 'c_1', 1)
      .watermark('u_2', 'c_1', 1, 'm_1', 'DELIVERED')
      .receiptShown('d_1', 'u_2', 'c_1', 1, 'm_1', 'DELIVERED')
      .device('d_4')
      .member('c_1', 'u_4', [{ after: 1, upTo: OPEN_END }], 1)
      .resume('d_4', 4)
      .sent('c_1', 2, 'm_2');
    everywhere(tale, 2)
      .push('d_4', 4, 'c_1', 2, 0)
      .shown('d_4', 'c_1', 2, 'm_2')
      .confirm('d_2', 'c_1', 'm_2', 'READ')
      .cursor('d_2', 'c_1', 2)
      .watermark('u_2', 'c_1', 2, 'm_2', 'READ')
      .watermark('u_2', 'c_1', 2, 'm_2', 'DELIVERED')
      .receiptShown('d_1', 'u_2', 'c_1', 2, 'm_2', 'READ')
      .watch('d_1', 'c_1')
      .presence('d_1', 'u_2', 'ONLINE')
      .presence('d_1', 'u_4', 'ONLINE');
    expect(healed(tale, 'd_1', 'd_2', 'd_3', 'd_4').judged()).toBeUndefined();
  });

  test('a device that was off, comes back and is replayed breaks no promise', () => {
    const tale = threeDevices().live('d_3', false).fault(1).sent('c_1', 1, 'm_1').fault(0);
    tale
      .push('d_2', 2, 'c_1', 1)
      .shown('d_2', 'c_1', 1, 'm_1')
      .live('d_3', true)
      .resume('d_3', 9, [['c_1', 0]]);
    expect(healed(tale.push('d_3', 9, 'c_1', 1).shown('d_3', 'c_1', 1, 'm_1')).judged()).toBeUndefined();
  });

  test('read from the store afterwards breaks no promise', () => {
    const tale = threeDevices()
      .send('d_1', 'c_1', 'k_1')
      .ack('d_1', 'c_1', 1, 'm_1')
      .shown('d_1', 'c_1', 1, 'm_1')
      .shown('d_2', 'c_1', 1, 'm_1')
      .shown('d_3', 'c_1', 1, 'm_1')
      .commit('d_1', 'c_1', 1, 'm_1');
    expect(healed(tale).judged({ commitsSeen: 'afterwards' })).toBeUndefined();
  });
});
