import { describe, expect, it } from 'vitest';
import { chatId } from '../contract/ids.ts';
import { OPEN_END } from '../contract/records.ts';
import type { ClientFrame } from '../wire/frames.ts';
import { C, chat, start } from './testing/gateway-under-test.ts';

describe('SYNC', () => {
  const sync = (afterSeq: number, limit = 2, chat = C): ClientFrame => ({
    frame: 'SYNC',
    chatId: chat,
    afterSeq,
    limit,
  });

  it('brings history beside the live stream', () => {
    const s = start().live();
    expect(s.say(sync(1))).toEqual(['1 fetch c_1 after 1, 2']);
    expect(s.push(6)).toEqual(['1 < MESSAGE c_1 #6 prev 5']);
    expect(s.fetched([2, 3], 6)).toEqual([
      '1 < MESSAGE c_1 #2 prev 1',
      '1 < MESSAGE c_1 #3 prev 2',
      '1 < SYNC_END c_1 6',
    ]);
  });

  it('brings less than was asked for when that is as large as a page of the store, or as a window', () => {
    const s = start({ fetchBytes: 800 }).live();
    s.say(sync(1, 5));
    expect(s.page()).toEqual({ limit: 5, bytes: 800 });
    expect(s.fetchedFull([2, 3], 5)).toEqual([
      '1 < MESSAGE c_1 #2 prev 1',
      '1 < MESSAGE c_1 #3 prev 2',
      '1 < SYNC_END c_1 5',
    ]);
    const narrow = start({ inFlightBytes: 600 }).live();
    // What is in flight takes no room from an answer, which is asked for when the device has it.
    narrow.push(6);
    narrow.say(sync(1, 5));
    expect(narrow.page()).toEqual({ limit: 5, bytes: 600 });
  });

  // The repair of a gap is received like a push: it opens the window up to there.
  it('that repaired a gap may be named by the receipt', () => {
    const s = start().live();
    s.say(sync(5));
    s.fetched([6, 7], 7);
    expect(s.receipt(7)).toEqual(['note DELIVERED c_1 #7']);
    expect(s.push(8)).toEqual(['1 < MESSAGE c_1 #8 prev 7']);
  });

  it('of a stranger, and of a chat that does not exist, get the same answer', () => {
    const s = start().live();
    s.say(sync(0, 2, chatId('c_9')));
    expect(s.fetched([], 0, [])).toEqual(['1 < ERROR no_such_chat']);
  });

  it('shows nothing outside the time of a member, and looks past a page of that', () => {
    const spans = [{ after: 4, upTo: OPEN_END }];
    const s = start().welcome([chat(5, 6, { spans })]);
    s.resume(6);
    s.say(sync(0));
    expect(s.fetched([1, 2], 6, spans)).toEqual(['1 fetch c_1 after 2, 2']);
    expect(s.fetched([3, 4], 6, spans)).toEqual(['1 fetch c_1 after 4, 2']);
    expect(s.fetched([5, 6], 6, spans)).toEqual([
      '1 < MESSAGE c_1 #5 prev 0',
      '1 < MESSAGE c_1 #6 prev 5',
      '1 < SYNC_END c_1 6',
    ]);
  });

  it('is read again when the store failed, and refused when too many wait', () => {
    const s = start({ sessionSyncs: 2 }).live();
    s.say(sync(1));
    expect(s.say(sync(2))).toEqual([]);
    expect(s.say(sync(3))).toEqual(['1 < ERROR overloaded']);
    // The one that failed rests by itself, and still counts as waiting.
    expect(s.answer({ outcome: 'failed' })).toEqual(['1 fetch c_1 after 2, 2']);
    expect(s.say(sync(3))).toEqual(['1 < ERROR overloaded']);
    s.later(0.25);
    expect(s.wake('retry', 1)).toEqual([]);
    expect(s.fetched([3], 5)).toEqual([
      '1 < MESSAGE c_1 #3 prev 2',
      '1 < SYNC_END c_1 5',
      '1 fetch c_1 after 1, 2',
    ]);
  });

  it('leaves a chat that is behind its turn when its own shard does not answer', () => {
    const s = start({ sessionSyncs: 2, inFlightMessages: 8, fetchPage: 2 }).live();
    s.say(sync(1));
    s.pushLong(6);
    expect(s.answer({ outcome: 'failed' })).toEqual(['1 fetch c_1 after 5, 2']);
    s.later(0.25);
    expect(s.wake('retry', 1)).toEqual([]);
    expect(s.fetched([6], 6)).toEqual(['1 < MESSAGE c_1 #6 prev 5', '1 fetch c_1 after 1, 2']);
  });

  it('is held to the page that the limits allow', () => {
    const s = start({ syncPage: 7 }).live();
    expect(s.say(sync(1, 99))).toEqual(['1 fetch c_1 after 1, 7']);
  });
});
