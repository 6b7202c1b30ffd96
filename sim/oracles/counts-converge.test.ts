import { expect, test } from 'vitest';
import { chatId, deviceId, serverMsgId } from '../../core/contract/ids.ts';
import { DEFAULT_LIMITS } from '../../core/contract/limits.ts';
import { OPEN_END } from '../../core/contract/records.ts';
import { type Tale, threeDevices } from './tale.ts';

const limits = { ...DEFAULT_LIMITS, receiptMembers: 2 };
const judged = (tale: Tale): string | undefined => {
  const violation = tale.judged({ limits, only: ['counts-converge'] });
  return violation === undefined ? undefined : `${violation.expected}; ${violation.observed}`;
};
/** u_1 has written #1 to c_1, which has three members and is on the screen of d_1; u_2 and u_4 have it. */
const large = (): Tale =>
  threeDevices()
    .device('d_4')
    .member('c_1', 'u_4')
    .member('c_1', 'u_5', [{ after: 1, upTo: OPEN_END }])
    .watch('d_1', 'c_1')
    .sent('c_1', 1, 'm_1')
    .watermark('u_2', 'c_1', 1, 'm_1', 'DELIVERED')
    .watermark('u_5', 'c_1', 1, 'm_1', 'DELIVERED')
    .watermark('u_4', 'c_1', 1, 'm_1', 'DELIVERED');
const count = (tale: Tale, deliveredCount: number, readCount: number, device = 'd_1'): Tale =>
  tale.tell({
    kind: 'count-shown',
    deviceId: deviceId(device),
    chatId: chatId('c_1'),
    serverMsgId: serverMsgId('m_1'),
    seq: 1,
    deliveredCount,
    readCount,
  });

test('counts that rise to the truth break nothing', () => {
  const tale = count(count(large(), 1, 0), 2, 0).watermark('u_2', 'c_1', 1, 'm_1', 'READ');
  expect(judged(count(tale, 2, 1).heal('d_1').end())).toBeUndefined();
});

test('more are told than there are', () => {
  expect(judged(count(large(), 3, 0))).toMatch(/2 have seq 1 of c_1 \(m_1\), and 0 .* shown 3 and 0/);
});

test('fewer are told than before', () => {
  expect(judged(count(count(large(), 2, 0), 1, 0))).toMatch(/2 have .* or more since; it is shown 1 and 0/);
  // The app started anew: it shows what it is told then.
  expect(judged(count(count(large(), 2, 0).start('d_1', 'c_1', 1), 1, 0))).toBeUndefined();
});

test('somebody else than the sender is told', () => {
  expect(judged(count(large(), 2, 0, 'd_2'))).toMatch(/d_2 of u_2 did not write/);
});

test('who looks is not told in the end', () => {
  expect(judged(count(large(), 1, 0).heal('d_1').end())).toMatch(/2 have .*; it is shown 1 and 0/);
  expect(judged(count(large(), 1, 0).watch('d_1', 'c_1', false).heal('d_1').end())).toBeUndefined();
});
