import { describe, expect, it } from 'vitest';
import { chatId, connId } from '../contract/ids.ts';
import { chat, readBy, start } from './testing/gateway-under-test.ts';

describe('receipts of others', () => {
  it('are told after SYNCED, and after the message they speak of', () => {
    const s = start().welcome([chat(3, 5, { receipts: [readBy('u_2', 2)] })]);
    s.resume();
    expect(s.pushReceipt(readBy('u_3', 6))).toEqual(['push 1 settled']);
    expect(s.fetched([4, 5], 5).slice(2)).toEqual(['1 < SYNCED c_1 5', '1 < RECEIPT u_2 READ #2']);
    expect(s.pushReceipt(readBy('u_2', 5))).toEqual(['1 < RECEIPT u_2 READ #5', 'push 2 settled']);
    expect(s.push(6)).toEqual(['1 < MESSAGE c_1 #6 prev 5', '1 < RECEIPT u_3 READ #6']);
  });

  it('outside the time of a member are never told', () => {
    const spans = [{ after: 3, upTo: 5 }];
    const receipts = [readBy('u_2', 2), readBy('u_3', 4), readBy('u_4', 9)];
    const s = start().welcome([chat(5, 9, { spans, receipts })]);
    expect(s.resume()).toEqual(['1 < SYNCED c_1 5', '1 < RECEIPT u_3 READ #4']);
    expect(s.pushReceipt(readBy('u_2', 7))).toEqual(['push 1 settled']);
    expect(s.pushReceipt(readBy('u_2', 3))).toEqual(['push 2 settled']);
  });

  it('of a hundred groups come a page at a time, so that they do not fill the socket by themselves', () => {
    const receipts = [readBy('u_2', 1), readBy('u_3', 2), readBy('u_4', 3)];
    const c2 = chatId('c_2');
    const chats = [chat(5, 5, { receipts }), chat(1, 1, { chatId: c2, receipts: [readBy('u_5', 1, c2)] })];
    const s = start({ receiptPage: 2 }).welcome(chats);
    expect(s.resume()).toEqual([
      '1 < SYNCED c_1 5 c_2 1',
      '1 < RECEIPT u_2 READ #1',
      '1 < RECEIPT u_3 READ #2',
    ]);
    expect(s.push(6)).toEqual(['1 < MESSAGE c_1 #6 prev 5']);
    expect(s.wake('receipts', 1)).toEqual([
      '1 < RECEIPT u_4 READ #3',
      '1 < RECEIPT u_5 READ #1',
      'wake receipts 1 in 0.25 s',
    ]);
    expect(s.wake('receipts', 1)).toEqual([]);
  });

  it('come in smaller pages to a small socket: who was closed for them would come back to the same', () => {
    const receipts = [readBy('u_2', 1), readBy('u_3', 2)];
    const s = start({ socketBufferBytes: 8 * 256 }).welcome([chat(5, 5, { receipts })]);
    expect(s.resume()).toEqual(['1 < SYNCED c_1 5', '1 < RECEIPT u_2 READ #1']);
  });

  it('wait while the socket is full, the newest for all before it', () => {
    const s = start({ socketBufferBytes: 1_000 }).live();
    s.step({ kind: 'buffered', conn: connId(1), bytes: 501 });
    expect(s.pushReceipt(readBy('u_2', 4))).toEqual(['push 1 settled']);
    expect(s.pushReceipt(readBy('u_2', 5))).toEqual(['push 2 settled']);
    expect(s.step({ kind: 'buffered', conn: connId(1), bytes: 400 })).toEqual(['1 < RECEIPT u_2 READ #5']);
  });

  it('of one user that wait become the latest', () => {
    const s = start().live();
    s.pushReceipt(readBy('u_2', 6));
    s.pushReceipt(readBy('u_2', 7));
    expect(s.push(6)).toEqual(['1 < MESSAGE c_1 #6 prev 5']);
    expect(s.push(7)).toEqual(['1 < MESSAGE c_1 #7 prev 6', '1 < RECEIPT u_2 READ #7']);
  });
});
