import { describe, expect, test } from 'vitest';
import { type Tale, threeDevices } from './tale.ts';
import { everywhere, expectRed } from './testing/expect-red.ts';

describe('no-duplicate-shown', () => {
  const NAME = 'no-duplicate-shown';

  test('a device shows a message twice', () => {
    const tale = everywhere(threeDevices().sent('c_1', 1, 'm_1'), 1);
    expectRed(tale.shown('d_2', 'c_1', 1, 'm_1'), NAME, /shows m_1 again/);
  });

  test('a send becomes two messages in the store', () => {
    const tale = threeDevices().sent('c_1', 1, 'm_1');
    expectRed(
      tale.commit('d_1', 'c_1', 2, 'm_2', { clientMsgId: 'k_1' as never }),
      NAME,
      /m_2 at seq 2 as well/,
    );
  });

  test('a repeated send is acknowledged with another id', () => {
    const tale = threeDevices().sent('c_1', 1, 'm_1').ack('d_1', 'c_1', 2, 'm_2', 'k_1');
    expectRed(tale, NAME, /m_2 at seq 2 as well/);
  });

  test('a repeated send is acknowledged with another seq', () => {
    expectRed(
      threeDevices().sent('c_1', 1, 'm_1').ack('d_1', 'c_1', 2, 'm_1', 'k_1'),
      NAME,
      /seq 2 of c_1 as well/,
    );
  });

  test('one seq is given to two messages', () => {
    const tale = threeDevices()
      .sent('c_1', 1, 'm_1')
      .send('d_2', 'c_1', 'k_2')
      .commit('d_2', 'c_1', 1, 'm_2');
    expectRed(tale, NAME, /given to m_2 and to m_1/);
  });

  test('a device sends what it called failed', () => {
    const end = { deviceId: 'd_1' as never, clientMsgId: 'k_1' as never, chatId: 'c_1' as never };
    const tale = threeDevices()
      .send('d_1', 'c_1', 'k_1')
      .tell({ kind: 'send-failed', ...end, code: 'unavailable' })
      .tell({ kind: 'sent-again', ...end });
    expectRed(tale, NAME, /sends k_1 again/);
  });

  test('a send is reported as failed and is a message', () => {
    const failed = (tale: Tale): Tale =>
      tale.tell({
        kind: 'send-failed',
        deviceId: 'd_1' as never,
        clientMsgId: 'k_1' as never,
        chatId: 'c_1' as never,
        code: 'unavailable',
      });
    expectRed(
      failed(threeDevices().send('d_1', 'c_1', 'k_1').commit('d_1', 'c_1', 1, 'm_1')),
      NAME,
      /m_1 as well/,
    );
    expectRed(
      failed(threeDevices().send('d_1', 'c_1', 'k_1')).commit('d_1', 'c_1', 1, 'm_1'),
      NAME,
      /m_1 as well/,
    );
  });

  test('the same clientMsgId of two users is two messages', () => {
    const tale = threeDevices().sent('c_1', 1, 'm_1').send('d_2', 'c_1', 'k_1');
    expect(tale.commit('d_2', 'c_1', 2, 'm_2', { clientMsgId: 'k_1' as never }).judged()).toBeUndefined();
  });
});
