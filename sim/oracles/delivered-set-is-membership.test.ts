import { describe, expect, test } from 'vitest';
import { chatId, clientMsgId, deviceId } from '../../core/contract/ids.ts';
import { OPEN_END } from '../../core/contract/records.ts';
import { type Tale, threeDevices } from './tale.ts';
import { everywhere, expectRed } from './testing/expect-red.ts';

describe('delivered-set-is-membership', () => {
  const NAME = 'delivered-set-is-membership';
  const left = (): Tale =>
    everywhere(threeDevices().sent('c_1', 1, 'm_1'), 1)
      .member('c_1', 'u_2', [{ after: 0, upTo: 1 }], 1)
      .sent('c_1', 2, 'm_2');

  test('a gateway sends a message to who has left', () => {
    expectRed(left().push('d_2', 2, 'c_1', 2), NAME, /u_2 is sent seq 2/);
  });

  test('a device shows a message to who has left', () => {
    expectRed(left().shown('d_2', 'c_1', 2, 'm_2'), NAME, /u_2 shows seq 2/);
  });

  test('who joined late is sent what came before', () => {
    const tale = threeDevices().sent('c_1', 1, 'm_1').device('d_4').resume('d_4', 4);
    tale.member('c_1', 'u_4', [{ after: 1, upTo: OPEN_END }], 1);
    expectRed(tale.push('d_4', 4, 'c_1', 1), NAME, /u_4 is sent seq 1/);
  });

  test('a stranger is sent anything at all', () => {
    const tale = threeDevices().sent('c_1', 1, 'm_1').device('d_4').resume('d_4', 4);
    expect(expectRed(tale.push('d_4', 4, 'c_1', 1), NAME, /u_4/).expected).toBe('u_4 sees nothing of c_1');
  });

  test('who has left gets a receipt for what came later', () => {
    const tale = left().watermark('u_1', 'c_1', 2, 'm_2', 'DELIVERED');
    expectRed(tale.receiptShown('d_2', 'u_1', 'c_1', 2, 'm_2', 'DELIVERED'), NAME, /gets a receipt/);
  });

  test('who has left writes', () => {
    expectRed(left().send('d_2', 'c_1', 'k_3').commit('d_2', 'c_1', 3, 'm_3'), NAME, /u_2 wrote seq 3/);
  });

  test('a member is told for good that his send is none', () => {
    const names = { deviceId: deviceId('d_1'), clientMsgId: clientMsgId('k_1'), chatId: chatId('c_1') };
    const refused = (tale: Tale): Tale => tale.tell({ kind: 'send-failed', ...names, code: 'not_a_member' });
    expectRed(refused(threeDevices().send('d_1', 'c_1', 'k_1')), NAME, /refused for good: not_a_member/);
    // Who was out when he wrote, or is out by now, may have been refused; and what a full outbox did not take was no send.
    const away = (tale: Tale): Tale => tale.member('c_1', 'u_1', [], 0);
    const only = { only: [NAME] } as const;
    expect(refused(away(threeDevices().send('d_1', 'c_1', 'k_1'))).judged(only)).toBeUndefined();
    const back = away(threeDevices()).send('d_1', 'c_1', 'k_1').member('c_1', 'u_1');
    expect(refused(back).judged(only)).toBeUndefined();
    expect(refused(threeDevices()).judged(only)).toBeUndefined();
  });

  test('leaving takes away what came before', () => {
    const tale = everywhere(threeDevices().sent('c_1', 1, 'm_1'), 1);
    expectRed(tale.member('c_1', 'u_2', [], 1), NAME, /spans became \[\]/);
  });

  test('a change takes effect later than it was decided', () => {
    const tale = everywhere(threeDevices().sent('c_1', 1, 'm_1'), 1);
    expectRed(tale.member('c_1', 'u_2', [{ after: 0, upTo: 2 }], 1), NAME, /"upTo":2/);
  });

  test('joining gives what came before', () => {
    const tale = threeDevices().sent('c_1', 1, 'm_1').device('d_4').member('c_1', 'u_4', [], 1);
    expectRed(tale.member('c_1', 'u_4', [{ after: 0, upTo: OPEN_END }], 1), NAME, /"after":0/);
  });
});
