import { describe, expect, it } from 'vitest';
import { chatId, connId } from '../contract/ids.ts';
import { OPEN_END } from '../contract/records.ts';
import { SECOND } from '../contract/time.ts';
import { C, chat, EVER, readBy, row, start } from './testing/gateway-under-test.ts';

describe('RESUME', () => {
  it('moves the stored cursor of a device that has more than its receipts told', () => {
    expect(
      start()
        .welcome([chat(3, 5)])
        .resume(5),
    ).toEqual(['note DELIVERED c_1 #5', '1 < SYNCED c_1 5']);
    expect(
      start()
        .welcome([chat(3, 9)])
        .resume(5),
    ).toEqual(['note DELIVERED c_1 #5', '1 fetch c_1 after 5, 128']);
  });

  it('with the stored cursor, or without one, writes nothing', () => {
    expect(
      start()
        .welcome([chat(5, 5)])
        .resume(5),
    ).toEqual(['1 < SYNCED c_1 5']);
    expect(
      start()
        .welcome([chat(5, 5)])
        .resume(),
    ).toEqual(['1 < SYNCED c_1 5']);
  });

  it('cuts a cursor beyond the head to the head: what comes next is not skipped', () => {
    const s = start().welcome([chat(3, 5)]);
    expect(s.resume(4_000_000)).toEqual(['note DELIVERED c_1 #5', '1 < SYNCED c_1 5']);
    expect(s.push(6)).toEqual(['1 < MESSAGE c_1 #6 prev 5']);
  });

  it('with an older cursor, or 0, replays from there, a page at a time, SYNCED behind the last', () => {
    const s = start({ fetchPage: 2 }).welcome([chat(3, 3)]);
    expect(s.resume(0)).toEqual(['1 fetch c_1 after 0, 2']);
    expect(s.fetched([1, 2], 3)).toEqual([
      '1 < MESSAGE c_1 #1 prev 0',
      '1 < MESSAGE c_1 #2 prev 1',
      '1 fetch c_1 after 2, 2',
    ]);
    expect(s.fetched([3], 3)).toEqual(['1 < MESSAGE c_1 #3 prev 2', '1 < SYNCED c_1 3']);
  });

  // 128 of the largest messages would be 11 MB, of which a window takes one.
  it('asks for no more than the window takes, and for the rest when it is open again', () => {
    const s = start({ inFlightBytes: 700 }).welcome([chat(3, 3)]);
    s.resume(0);
    expect(s.page()).toEqual({ limit: 128, bytes: 700 });
    // What says four characters costs 260. A page that ended at its size says nothing of what follows.
    expect(s.fetchedFull([1, 2], 3)).toEqual([
      '1 < MESSAGE c_1 #1 prev 0',
      '1 < MESSAGE c_1 #2 prev 1',
      '1 fetch c_1 after 2, 128',
    ]);
    expect(s.page()).toEqual({ limit: 128, bytes: 180 });
    expect(s.fetched([3], 3)).toEqual(['1 < MESSAGE c_1 #3 prev 2', '1 < SYNCED c_1 3']);
    const large = start({ fetchBytes: 500 }).welcome([chat(3, 3)]);
    large.resume(0);
    expect(large.page()).toEqual({ limit: 128, bytes: 500 });
  });

  it('ignores chats that are not the user’s', () => {
    const s = start().welcome([]);
    expect(s.say({ frame: 'RESUME', cursors: [[chatId('c_666'), 0]] })).toEqual(['1 < SYNCED']);
  });

  // Was in until #2, came back at #4: sees 1, 2, 5, 6.
  it('replays what the user may see and no more, and says where the sequence goes on', () => {
    const spans = [
      { after: 0, upTo: 2 },
      { after: 4, upTo: OPEN_END },
    ];
    const s = start().welcome([chat(1, 6, { spans })]);
    s.resume();
    expect(s.fetched([2, 3, 4, 5, 6], 6, spans)).toEqual([
      '1 < MESSAGE c_1 #2 prev 1',
      '1 < MESSAGE c_1 #5 prev 2',
      '1 < MESSAGE c_1 #6 prev 5',
      '1 < SYNCED c_1 6',
    ]);
  });

  it('tells who has left the last he saw as the head', () => {
    const s = start().welcome([chat(0, 9, { spans: [{ after: 0, upTo: 2 }] })]);
    expect(s.resume(9)).toEqual(['note DELIVERED c_1 #2', '1 < SYNCED c_1 2']);
  });

  it('lets several chats take turns', () => {
    const c2 = chatId('c_2');
    const s = start({ fetchPage: 1 }).welcome([chat(3, 5), chat(0, 1, { chatId: c2 })]);
    expect(s.resume()).toEqual(['1 fetch c_1 after 3, 1']);
    expect(s.fetched([4], 5)).toEqual(['1 < MESSAGE c_1 #4 prev 3', '1 fetch c_2 after 0, 1']);
    expect(s.fetchedRows([row(1, { chatId: c2 })], 1)).toEqual([
      '1 < MESSAGE c_2 #1 prev 0',
      '1 fetch c_1 after 4, 1',
    ]);
    expect(s.fetched([5], 5)).toEqual(['1 < MESSAGE c_1 #5 prev 4', '1 < SYNCED c_1 5 c_2 1']);
  });

  it('reads again what the store failed to give', () => {
    const s = start().welcome([chat(3, 4)]);
    s.resume();
    // A chat that cannot be read is none of the heads, as if its shard had not been listed.
    expect(s.answer({ outcome: 'failed' })).toEqual(['1 < SYNCED']);
    s.later(0.25);
    expect(s.wake('retry', 1)).toEqual(['1 fetch c_1 after 3, 128']);
    expect(s.fetched([4], 4)).toEqual(['1 < MESSAGE c_1 #4 prev 3']);
  });

  it('takes a cursor between two memberships for the last message of the earlier one', () => {
    const spans = [
      { after: 0, upTo: 3 },
      { after: 6, upTo: OPEN_END },
    ];
    const s = start().welcome([chat(3, 7, { spans })]);
    // Not a receipt of what this user never saw.
    expect(s.resume(5)).toEqual(['1 fetch c_1 after 3, 128']);
    expect(s.fetched([7], 7, spans)).toEqual(['1 < MESSAGE c_1 #7 prev 3', '1 < SYNCED c_1 7']);
  });

  describe('when a shard falls silent after it was listed', () => {
    const c2 = chatId('c_2');

    it('waits for none of its chats with SYNCED, the live messages and the receipts of the others', () => {
      const s = start().welcome([chat(3, 5), chat(0, 1, { chatId: c2 })]);
      s.resume();
      expect(s.answer({ outcome: 'failed' })).toEqual(['1 fetch c_2 after 0, 128']);
      expect(s.fetchedRows([row(1, { chatId: c2 })], 1)).toEqual([
        '1 < MESSAGE c_2 #1 prev 0',
        '1 < SYNCED c_2 1',
      ]);
      expect(s.pushReceipt(readBy('u_2', 1, c2))).toEqual(['1 < RECEIPT u_2 READ #1', 'push 1 settled']);
      expect(s.push(2, { chatId: c2 })).toEqual(['1 < MESSAGE c_2 #2 prev 1']);
      // A push of the chat itself does not make it be read sooner.
      expect(s.push(6)).toEqual(['1 < PING 1']);
      s.later(0.25);
      expect(s.wake('retry', 1)).toEqual(['1 fetch c_1 after 3, 128']);
      expect(s.fetched([4, 5, 6], 6)).toEqual([
        '1 < MESSAGE c_1 #4 prev 3',
        '1 < MESSAGE c_1 #5 prev 4',
        '1 < MESSAGE c_1 #6 prev 5',
      ]);
      expect(s.push(7)).toEqual(['1 < MESSAGE c_1 #7 prev 6']);
    });

    it('reads what has not failed first, and each other after a longer pause, up to a bound', () => {
      const s = start({ sessionRetryMax: 1 * SECOND }).welcome([chat(3, 5), chat(0, 0, { chatId: c2 })]);
      s.resume();
      const pauses: string[] = [];
      for (const pause of [0.25, 0.5, 1, 1]) {
        const failed = { kind: 'fetched', conn: connId(1), call: s.call(), chatId: C } as const;
        pauses.push(
          ...s.all({ ...failed, result: { outcome: 'failed' } }).filter((l) => l.startsWith('wake')),
        );
        s.later(pause - 0.01);
        expect(s.wake('retry', 1)).toEqual(['wake retry 1 in 0.01 s']);
        s.later(0.01);
        expect(s.wake('retry', 1)).toEqual(['1 fetch c_1 after 3, 128']);
      }
      expect(pauses.map((l) => l.slice('wake retry 1 in '.length))).toEqual([
        '0.25 s',
        '0.5 s',
        '1 s',
        '1 s',
      ]);
      // What answers has forgotten its failures.
      s.fetched([4, 5], 5);
      s.push(7);
      s.all({ kind: 'fetched', conn: connId(1), call: s.call(), chatId: C, result: { outcome: 'failed' } });
      s.later(0.25);
      expect(s.wake('retry', 1)).toEqual(['1 fetch c_1 after 5, 128']);
    });
  });

  // A message that commits while the replay is read raises the head and comes in its turn.
  it('keeps live messages in order behind the replay', () => {
    const s = start().welcome([chat(3, 4)]);
    s.resume();
    expect(s.push(5)).toEqual(['1 < PING 1']);
    expect(s.fetched([4], 4)).toEqual(['1 < MESSAGE c_1 #4 prev 3', '1 fetch c_1 after 4, 128']);
    expect(s.fetched([5], 5)).toEqual(['1 < MESSAGE c_1 #5 prev 4', '1 < SYNCED c_1 5']);
  });

  it('lets a mass of reconnecting devices read the store a few at a time', () => {
    const s = start({ gatewayFetches: 1 });
    s.welcome([chat(0, 1)], 1, 1);
    s.welcome([chat(0, 1)], 2, 2);
    s.welcome([chat(0, 1)], 3, 3);
    expect(s.resume(undefined, 1)).toEqual(['1 fetch c_1 after 0, 128']);
    expect(s.resume(undefined, 2)).toEqual([]);
    expect(s.resume(undefined, 3)).toEqual([]);
    // The second is gone before its turn.
    s.step({ kind: 'closed', conn: connId(2) });
    expect(s.fetched([1], 1, EVER, 1)).toEqual([
      '1 < MESSAGE c_1 #1 prev 0',
      '1 < SYNCED c_1 1',
      '3 fetch c_1 after 0, 128',
    ]);
    // The first leaves while nothing of it is under way; the third leaves during its read.
    s.step({ kind: 'closed', conn: connId(3) });
    expect(s.gateway.reads).toBe(1);
    expect(s.fetched([1], 1, EVER, 3)).toEqual([]);
    expect(s.gateway.reads).toBe(0);
  });
});
