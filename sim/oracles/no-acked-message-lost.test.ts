import { describe, expect, test } from 'vitest';
import { OPEN_END } from '../../core/contract/records.ts';
import { threeDevices } from './tale.ts';
import { everywhere, expectRed, healed } from './testing/expect-red.ts';

describe('no-acked-message-lost', () => {
  const NAME = 'no-acked-message-lost';

  test('an ACK for what is not in the store', () => {
    expectRed(threeDevices().send('d_1', 'c_1', 'k_1').ack('d_1', 'c_1', 1, 'm_1'), NAME, /never committed/);
  });

  test('an ACK that names another seq than the stored one', () => {
    const tale = threeDevices().send('d_1', 'c_1', 'k_1').commit('d_1', 'c_1', 1, 'm_1');
    const alone = tale.ack('d_1', 'c_1', 2, 'm_1').judged({ only: [NAME] });
    expect(alone?.oracle).toBe(NAME);
  });

  test('one device of a member never shows it', () => {
    const tale = threeDevices().sent('c_1', 1, 'm_1').push('d_2', 2, 'c_1', 1).shown('d_2', 'c_1', 1, 'm_1');
    const violation = expectRed(healed(tale), NAME, /d_3 of u_2 waits for seq 1 of c_1 \(m_1\)/);
    expect(violation.phase).toBe('liveness');
  });

  test('a hole in the middle is a loss although a later message was shown', () => {
    const tale = threeDevices().sent('c_1', 1, 'm_1').sent('c_1', 2, 'm_2');
    tale.shown('d_2', 'c_1', 1, 'm_1').shown('d_2', 'c_1', 2, 'm_2').shown('d_3', 'c_1', 2, 'm_2');
    expect(healed(tale).judged({ only: [NAME] })?.stuck).toEqual(['d_3 of u_2 waits for seq 1 of c_1 (m_1)']);
  });

  test('an acknowledged message that the store does not have afterwards', () => {
    const tale = threeDevices().send('d_1', 'c_1', 'k_1').ack('d_1', 'c_1', 1, 'm_1');
    const violation = healed(tale).judged({ commitsSeen: 'afterwards', only: [NAME] });
    expect(violation?.observed).toMatch(/the store has no m_1/);
  });

  test('what lies before the start of a device, or is not visible to it, is not lost', () => {
    const tale = threeDevices().sent('c_1', 1, 'm_1');
    everywhere(tale, 1)
      .device('d_5', 'u_2', false)
      .cursor('d_5', 'c_1', 1)
      .start('d_5', 'c_1', 1)
      .resume('d_5', 5)
      .live('d_5', true)
      .device('d_6')
      .resume('d_6', 6)
      .member('c_1', 'u_6', [{ after: 1, upTo: OPEN_END }], 1);
    expect(healed(tale, 'd_1', 'd_2', 'd_3', 'd_5', 'd_6').judged()?.oracle).toBeUndefined();
  });

  test('a device that cannot be served is owed nothing', () => {
    const tale = threeDevices().live('d_3', false).sent('c_1', 1, 'm_1');
    expect(
      healed(tale.push('d_2', 2, 'c_1', 1).shown('d_2', 'c_1', 1, 'm_1'), 'd_1', 'd_2').judged(),
    ).toBeUndefined();
  });
});
