import { describe, expect, it } from 'vitest';
import { chatId } from '../contract/ids.ts';
import { start } from './testing/device-under-test.ts';

describe('receipts', () => {
  it('are gathered for a while, or up to a number, and cost one frame a chat', () => {
    const s = start({ receiptBatch: 3 }).live();
    s.message(6);
    s.message(1, { chatId: chatId('c_2') });
    expect(s.message(7)).toEqual(['show c_1 #7 of u_2', '1 > DELIVERED c_1 m_7', '1 > DELIVERED c_2 m_1']);
    expect(s.wake('receipt')).toEqual([]);
    // Counted anew after each frame.
    s.message(8);
    expect(s.message(9)).toEqual(['show c_1 #9 of u_2']);
    expect(s.message(10)).toEqual(['show c_1 #10 of u_2', '1 > DELIVERED c_1 m_10']);
  });

  it('are not sent for what an earlier connection brought: RESUME says it', () => {
    const s = start().live();
    s.message(6);
    s.message(8);
    s.closed();
    expect(s.wake('receipt')).toEqual([]);
    s.wake('reconnect');
    expect(s.welcome('c_1 5')[0]).toBe('2 > RESUME c_1 6');
    expect(s.message(7)).toEqual(['show c_1 #7 of u_2', 'show c_1 #8 of u_2']);
    expect(s.wake('receipt')).toEqual(['2 > DELIVERED c_1 m_7']);
  });

  it('READ names the newest message of somebody else, after DELIVERED, once', () => {
    const s = start().live();
    expect(s.read()).toEqual([]);
    s.message(6);
    s.send('k7');
    s.ack('k7', 7);
    expect(s.read()).toEqual(['1 > DELIVERED c_1 m_6', '1 > READ c_1 m_6']);
    expect(s.read()).toEqual([]);
    s.message(8);
    expect(s.read()).toEqual(['1 > DELIVERED c_1 m_8', '1 > READ c_1 m_8']);
  });

  it('READ is said again after a reconnect: nothing tells whether it arrived', () => {
    const s = start().live();
    s.message(6);
    s.read();
    s.reconnect();
    s.welcome('c_1 6');
    expect(s.synced()).toEqual(['synced', 'live', '2 > READ c_1 m_6']);
    // Read while offline goes with the next connection.
    s.message(7);
    s.closed();
    expect(s.read()).toEqual([]);
    s.wake('reconnect');
    s.welcome('c_1 7');
    expect(s.synced()).toEqual(['synced', 'live', '3 > READ c_1 m_7']);
  });
});
