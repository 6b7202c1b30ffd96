import { expect, test } from 'vitest';
import { chatId, deviceId, userId } from '../../core/contract/ids.ts';
import { DEFAULT_LIMITS } from '../../core/contract/limits.ts';
import { OPEN_END } from '../../core/contract/records.ts';
import { type Tale, threeDevices } from './tale.ts';

const judged = (tale: Tale, limits = DEFAULT_LIMITS): string | undefined => {
  const violation = tale
    .heal('d_1', 'd_2', 'd_3')
    .end()
    .judged({ limits, receiptsOwed: true, only: ['receipts-arrive'] });
  return violation === undefined ? undefined : `${violation.expected}; ${violation.observed}`;
};
/** u_1 has written #1 to c_1, and d_2 shows it. */
const arrived = (): Tale => threeDevices().sent('c_1', 1, 'm_1').shown('d_2', 'c_1', 1, 'm_1');
const read = (tale: Tale): Tale =>
  tale.tell({ kind: 'read', deviceId: deviceId('d_2'), chatId: chatId('c_1') });
const saved = (tale: Tale, type: 'DELIVERED' | 'READ'): Tale => tale.watermark('u_2', 'c_1', 1, 'm_1', type);
const told = (tale: Tale, device: string, type: 'DELIVERED' | 'READ'): Tale =>
  tale.receiptShown(device, 'u_2', 'c_1', 1, 'm_1', type);

test('what is said, saved and shown breaks nothing', () => {
  expect(judged(told(saved(arrived(), 'DELIVERED'), 'd_1', 'DELIVERED'))).toBeUndefined();
  // READ stands for DELIVERED.
  const both = saved(saved(read(arrived()), 'READ'), 'DELIVERED');
  expect(judged(told(both, 'd_1', 'READ'))).toBeUndefined();
});

test('the store does not hear what a device shows, or what its user read', () => {
  expect(judged(arrived())).toMatch(/d_2 of u_2 shows seq 1 of c_1.*; it has DELIVERED up to seq 0/);
  const unread = told(saved(read(arrived()), 'DELIVERED'), 'd_1', 'DELIVERED');
  expect(judged(unread)).toMatch(/d_2 of u_2 read seq 1 of c_1.*; it has READ up to seq 0/);
});

test('what a connection of the device may have lost, its next one says again, if nothing else was broken', () => {
  const lost = (tale: Tale, behind: number): Tale => tale.fault(1, [], behind).live('d_2', false);
  const back = (tale: Tale): Tale => tale.fault(0).live('d_2', true);
  const shown = (): Tale => told(saved(arrived(), 'DELIVERED'), 'd_1', 'DELIVERED');
  expect(judged(back(lost(read(shown()), 0)))).toMatch(/it has READ up to seq 0/);
  expect(judged(back(read(lost(shown(), 0))))).toMatch(/it has READ up to seq 0/);
  const unconfirmed = threeDevices().sent('c_1', 1, 'm_1').fault(1, [], 0).shown('d_2', 'c_1', 1, 'm_1');
  expect(judged(back(unconfirmed.live('d_2', false)))).toMatch(/it has DELIVERED up to seq 0/);
  // The gateway may have been dead, or the connection that is left too; and READ is not said for ever.
  expect(judged(back(lost(read(shown()), 1)))).toBeUndefined();
  expect(judged(lost(read(shown()), 0).live('d_2', true).fault(0))).toBeUndefined();
  const often = back(lost(read(shown()), 0))
    .live('d_2', false)
    .live('d_2', true);
  expect(judged(often)).toBeUndefined();
});

test('another member is not shown it', () => {
  const one = judged(saved(arrived(), 'DELIVERED'));
  expect(one).toMatch(/d_1 of u_1 is shown DELIVERED of u_2 .*; it is shown it up to seq 0/);
});

test('nobody is owed a receipt that a fault or a limit may have taken, nor one of a chat that changed or was large', () => {
  expect(judged(arrived().fault(1).fault(0))).toBeUndefined();
  expect(judged(arrived(), { ...DEFAULT_LIMITS, receiptsPending: 1 })).toBeUndefined();
  const changed = threeDevices().member('c_1', 'u_9', [], 0, { by: userId('u_1') });
  const untold = saved(changed.sent('c_1', 1, 'm_1').shown('d_2', 'c_1', 1, 'm_1'), 'DELIVERED');
  expect(judged(untold)).toBeUndefined();
  const large = threeDevices().member('c_1', 'u_9', [{ after: 0, upTo: OPEN_END }]);
  const counted = saved(large.sent('c_1', 1, 'm_1').shown('d_2', 'c_1', 1, 'm_1'), 'DELIVERED');
  expect(judged(counted, { ...DEFAULT_LIMITS, receiptMembers: 2 })).toBeUndefined();
});
