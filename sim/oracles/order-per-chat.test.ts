import { describe, expect, test } from 'vitest';
import { mediaId } from '../../core/contract/ids.ts';
import { OPEN_END } from '../../core/contract/records.ts';
import { micros } from '../../core/contract/time.ts';
import { type Tale, threeDevices } from './tale.ts';
import { everywhere, expectRed } from './testing/expect-red.ts';

describe('order-per-chat', () => {
  const NAME = 'order-per-chat';

  test('a device skips a seq', () => {
    const tale = threeDevices().sent('c_1', 1, 'm_1').sent('c_1', 2, 'm_2').shown('d_2', 'c_1', 2, 'm_2');
    expectRed(tale, NAME, /shows m_2 at seq 2/);
  });

  test('a device goes back', () => {
    const tale = threeDevices().sent('c_1', 1, 'm_1').sent('c_1', 2, 'm_2').shown('d_2', 'c_1', 1, 'm_1');
    expectRed(tale.shown('d_2', 'c_1', 2, 'm_2').shown('d_2', 'c_1', 1, 'm_9'), NAME, /goes back/);
  });

  test('two devices show different bytes at one seq', () => {
    const tale = threeDevices().sent('c_1', 1, 'm_1').shown('d_2', 'c_1', 1, 'm_1', { ciphertext: 'BBBB' });
    expectRed(tale, NAME, /ciphertext BBBB/);
  });

  test('a device shows other media than were committed', () => {
    const tale = threeDevices()
      .sent('c_1', 1, 'm_1')
      .shown('d_2', 'c_1', 1, 'm_1', { mediaIds: [mediaId('x_7')] });
    expectRed(tale, NAME, /mediaIds x_7/);
  });

  test('a device shows another time than was committed', () => {
    const shown = (sentAt: number): Tale =>
      threeDevices()
        .send('d_1', 'c_1', 'k_1')
        .commit('d_1', 'c_1', 1, 'm_1', { sentAt: micros(7_000_999) })
        .shown('d_2', 'c_1', 1, 'm_1', { sentAt: micros(sentAt) });
    expect(shown(7_000_999).judged()).toBeUndefined();
    expect(shown(7_000_000).judged()).toBeUndefined();
    expectRed(shown(7_001_000), NAME, /sentAt 7001000/);
  });

  test('two devices show different times, and the store is read afterwards', () => {
    const tale = threeDevices()
      .send('d_1', 'c_1', 'k_1')
      .ack('d_1', 'c_1', 1, 'm_1')
      .shown('d_1', 'c_1', 1, 'm_1', { sentAt: micros(7_000_000) })
      .shown('d_2', 'c_1', 1, 'm_1', { sentAt: micros(7_000_000) });
    expect(tale.judged({ commitsSeen: 'afterwards' })).toBeUndefined();
    tale.shown('d_3', 'c_1', 1, 'm_1', { sentAt: micros(8_000_000) });
    const violation = tale.judged({ commitsSeen: 'afterwards' });
    expect(violation).toMatchObject({ oracle: NAME, observed: 'sentAt 8000000' });
    expect(violation?.expected).toMatch(/sentAt 7000000$/);
  });

  test('its author shows a message with the time of his own clock', () => {
    const tale = threeDevices()
      .send('d_1', 'c_1', 'k_1')
      .commit('d_1', 'c_1', 1, 'm_1', { sentAt: micros(7_000_000) })
      .ack('d_1', 'c_1', 1, 'm_1')
      .shown('d_1', 'c_1', 1, 'm_1', { sentAt: micros(9_000_000) });
    expectRed(tale, NAME, /sentAt 9000000/);
  });

  test('the store leaves out a seq', () => {
    const tale = threeDevices()
      .sent('c_1', 1, 'm_1')
      .send('d_1', 'c_1', 'k_3')
      .commit('d_1', 'c_1', 3, 'm_3');
    expectRed(tale, NAME, /seq 3 is \(m_3\)/);
  });

  test('a restart goes on further ahead', () => {
    const tale = threeDevices().sent('c_1', 1, 'm_1').sent('c_1', 2, 'm_2').shown('d_2', 'c_1', 1, 'm_1');
    expectRed(tale.start('d_2', 'c_1', 2), NAME, /goes on after seq 2/);
  });

  test('who came back later goes on where his membership does', () => {
    const tale = everywhere(threeDevices().sent('c_1', 1, 'm_1'), 1);
    tale.member('c_1', 'u_2', [{ after: 0, upTo: 1 }], 1).sent('c_1', 2, 'm_2');
    const spans = [
      { after: 0, upTo: 1 },
      { after: 2, upTo: OPEN_END },
    ];
    tale.member('c_1', 'u_2', spans, 2).sent('c_1', 3, 'm_3').push('d_2', 2, 'c_1', 3, 1);
    expect(tale.shown('d_2', 'c_1', 3, 'm_3').judged()).toBeUndefined();
    expectRed(tale.shown('d_3', 'c_1', 4, 'm_4'), NAME, /shows m_4 at seq 4/);
  });
});
