import { describe, expect, it } from 'vitest';
import { chatId, connId } from '../contract/ids.ts';
import { OPEN_END } from '../contract/records.ts';
import { C, chat, row, start } from './testing/gateway-under-test.ts';

describe('a live message', () => {
  it('that is the next goes straight to the device, and is settled by its receipt', () => {
    const s = start().live();
    expect(s.push(6)).toEqual(['1 < MESSAGE c_1 #6 prev 5']);
    expect(s.push(7)).toEqual(['1 < MESSAGE c_1 #7 prev 6']);
    // Cumulative: #7 stands for #6.
    expect(s.receipt(7)).toEqual(['push 1 settled', 'push 2 settled', 'note DELIVERED c_1 #7']);
    expect(s.push(7)).toEqual(['push 3 settled']);
  });

  it('behind a hole is fetched with what is missing', () => {
    const s = start().live();
    expect(s.push(8)).toEqual(['1 < PING 1', '1 fetch c_1 after 5, 128']);
    expect(s.fetched([6, 7, 8], 8)).toEqual([
      '1 < MESSAGE c_1 #6 prev 5',
      '1 < MESSAGE c_1 #7 prev 6',
      '1 < MESSAGE c_1 #8 prev 7',
    ]);
    expect(s.push(6)).toEqual([]);
    expect(s.receipt(8)).toEqual(['push 2 settled', 'note DELIVERED c_1 #8']);
  });

  it('too long to travel is fetched', () => {
    const s = start().live();
    expect(s.pushLong(6)).toEqual(['1 < PING 1', '1 fetch c_1 after 5, 128']);
  });

  it('of a chat that is new to the session starts it', () => {
    const s = start().live();
    expect(s.push(1, { chatId: chatId('c_2') })).toEqual(['1 < MESSAGE c_2 #1 prev 0']);
    expect(s.push(5, { chatId: chatId('c_3') })).toEqual(['1 < PING 1', '1 fetch c_3 after 0, 128']);
    const spans = [{ after: 4, upTo: OPEN_END }];
    expect(s.fetchedRows([row(5, { chatId: chatId('c_3') })], 5, spans)).toEqual([
      '1 < MESSAGE c_3 #5 prev 0',
    ]);
  });

  it('pushed again waits with the first push', () => {
    const s = start().live();
    s.push(6);
    expect(s.push(6)).toEqual([]);
    expect(s.receipt(6)).toEqual(['push 1 settled', 'push 2 settled', 'note DELIVERED c_1 #6']);
  });

  it('is for the named device and epoch, or nobody', () => {
    const s = start().live();
    expect(s.push(6, {}, 2)).toEqual(['push 1 no-session']);
    expect(s.push(6, {}, 1, 2)).toEqual(['push 2 no-session']);
    expect(s.push(6, {}, 1, 0)).toEqual(['1 < MESSAGE c_1 #6 prev 5']);
    expect(s.step({ kind: 'closed', conn: connId(1) })).toEqual(['push 3 no-session', 'release d_1 e1']);
  });

  it('before RESUME is held, and comes with the replay', () => {
    const s = start().welcome();
    expect(s.push(6)).toEqual([]);
    expect(s.resume()).toEqual(['1 fetch c_1 after 5, 128', '1 < PING 1']);
    expect(s.fetched([6], 6)).toEqual(['1 < MESSAGE c_1 #6 prev 5', '1 < SYNCED c_1 6']);
    expect(s.say({ frame: 'PONG', t: 1 })).toEqual(['push 1 settled']);
  });

  it('during the opening, before the list, is not lost when the list is older', () => {
    const s = start();
    s.open();
    s.opened(1);
    s.claimed();
    expect(s.push(6)).toEqual([]);
    expect(s.chats([chat(5, 5)])).toEqual(['1 < WELCOME e1 c_1 5/6']);
    expect(s.resume()).toEqual(['1 fetch c_1 after 5, 128', '1 < PING 1']);
  });
});

describe('the in-flight window', () => {
  it('closes at its limit, and opens by what a receipt covers', () => {
    const s = start({ inFlightMessages: 2 }).live();
    s.push(6);
    s.push(7);
    expect(s.push(8)).toEqual(['1 < PING 1']);
    expect(s.push(9)).toEqual([]);
    expect(s.receipt(6)).toEqual(['push 1 settled', 'note DELIVERED c_1 #6', '1 fetch c_1 after 7, 1']);
    expect(s.fetched([8], 9)).toEqual(['1 < MESSAGE c_1 #8 prev 7']);
    expect(s.receipt(8)).toEqual(['push 2 settled', 'note DELIVERED c_1 #8', '1 fetch c_1 after 8, 2']);
    expect(s.fetched([9], 9)).toEqual(['1 < MESSAGE c_1 #9 prev 8']);
  });

  it('closes at its bytes as well', () => {
    const s = start({ inFlightBytes: 300 }).live();
    expect(s.push(6)).toEqual(['1 < MESSAGE c_1 #6 prev 5']);
    expect(s.push(7, { ciphertext: 'A'.repeat(100) })).toEqual(['1 < MESSAGE c_1 #7 prev 6']);
    expect(s.push(8)).toEqual(['1 < PING 1']);
  });

  // The page was asked for when the window was open, and closes it half way.
  it('cuts a page that does not fit, and goes on from there', () => {
    const s = start({ inFlightBytes: 300 }).welcome([chat(0, 3)]);
    s.resume();
    expect(s.fetched([1, 2, 3], 3)).toEqual(['1 < MESSAGE c_1 #1 prev 0', '1 < MESSAGE c_1 #2 prev 1']);
    expect(s.receipt(2)).toEqual(['note DELIVERED c_1 #2', '1 fetch c_1 after 2, 128']);
    expect(s.fetched([3], 3)).toEqual(['1 < MESSAGE c_1 #3 prev 2', '1 < SYNCED c_1 3']);
  });
});

describe('a push that the device cannot take yet', () => {
  // A half-open connection takes everything and answers nothing: only an answer counts.
  it('is settled by the PONG of a PING that came after it, and by no other', () => {
    const s = start({ inFlightMessages: 1 }).live();
    s.push(6);
    expect(s.push(7)).toEqual(['1 < PING 1']);
    expect(s.push(8)).toEqual([]);
    expect(s.say({ frame: 'PONG', t: 99 })).toEqual([]);
    // #8 came after that PING was sent, so it waits for the next one.
    expect(s.say({ frame: 'PONG', t: 1 })).toEqual(['push 2 settled', '1 < PING 2']);
    expect(s.say({ frame: 'PONG', t: 1 })).toEqual([]);
    expect(s.say({ frame: 'PONG', t: 2 })).toEqual(['push 3 settled']);
  });

  it('is given back when the session ends first', () => {
    const s = start({ inFlightMessages: 1 }).live();
    s.push(6);
    s.push(7);
    s.push(8);
    expect(s.step({ kind: 'closed', conn: connId(1) })).toEqual([
      'push 3 no-session',
      'push 2 no-session',
      'push 1 no-session',
      'release d_1 e1',
    ]);
  });
});

describe('typing', () => {
  it('is shown to who has the chat on screen', () => {
    const s = start().live();
    expect(s.pushTyping()).toEqual(['push 1 settled']);
    s.say({ frame: 'OPEN', chatId: C });
    expect(s.pushTyping()).toEqual(['1 < TYPING u_2', 'push 2 settled']);
    expect(s.say({ frame: 'TYPING', chatId: C })).toEqual(['typing']);
  });
});
