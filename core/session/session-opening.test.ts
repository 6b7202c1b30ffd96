import { describe, expect, it } from 'vitest';
import { chatId } from '../contract/ids.ts';
import { chat, type GatewayUnderTest, start } from './testing/gateway-under-test.ts';

describe('opening a session', () => {
  // The lease is claimed before the chats are listed: a message that comes after the list finds the lease.
  it('goes by epoch, lease, list, WELCOME, RESUME, SYNCED', () => {
    const s = start();
    expect(s.open()).toEqual(['1 open d_1', 'wake session 1 in 10 s']);
    expect(s.opened(3)).toEqual(['1 claim e3']);
    expect(s.claimed()).toEqual(['wake renew in 15 s', '1 list']);
    expect(s.chats([chat(3, 5)])).toEqual(['1 < WELCOME e3 c_1 3/5']);
    expect(s.resume()).toEqual(['1 fetch c_1 after 3, 128']);
    expect(s.fetched([4, 5], 5)).toEqual([
      '1 < MESSAGE c_1 #4 prev 3',
      '1 < MESSAGE c_1 #5 prev 4',
      '1 < SYNCED c_1 5',
    ]);
  });

  describe('while a shard does not answer', () => {
    const other = chatId('c_2');
    const opened = (): GatewayUnderTest => {
      const s = start();
      s.open();
      s.opened(1);
      s.claimed();
      return s;
    };

    it('opens with the chats there are, and reads the list again, ever less often, until it is whole', () => {
      const s = opened();
      expect(s.chats([chat(5, 5)], 1, false)).toEqual(['1 < WELCOME e1 c_1 5/5']);
      expect(s.say({ frame: 'RESUME', cursors: [[other, 7]] })).toEqual(['1 < SYNCED c_1 5']);
      expect(s.wake('renew')).toContain('1 list');
      expect(s.chats([chat(5, 5)], 1, false)).toEqual([]);
      // After one renewal, then after up to two, up to four, and no more than that.
      const renewals = [1, 2, 3, 4, 5].map(() => {
        let n = 1;
        while (!s.wake('renew').includes('1 list')) n++;
        s.chats([chat(5, 5)], 1, false);
        return n;
      });
      expect(renewals).toEqual([2, 1, 2, 3, 2]);
      let whole = false;
      while (!whole) whole = s.wake('renew').includes('1 list');
      // From where RESUME said, not from the stored cursor; and the store is told, as at any RESUME.
      expect(s.chats([chat(5, 5), chat(6, 9, { chatId: other })])).toEqual([
        'note DELIVERED c_2 #7',
        '1 fetch c_2 after 7, 128',
      ]);
      expect(s.wake('renew')).not.toContain('1 list');
    });

    it('lets a device that no session has confirmed wait, or it would start behind what is sent meanwhile', () => {
      const s = start();
      s.open();
      s.opened(1, 1, false);
      s.claimed();
      expect(s.chats([chat(5, 5)], 1, false)).toEqual([]);
      expect(s.wake('retry', 1)).toEqual(['1 list']);
      expect(s.chats([chat(5, 5)])).toEqual(['confirm d_1', '1 < WELCOME e1 c_1 5/5']);
    });

    it('starts a chat that RESUME did not name at the stored cursor', () => {
      const s = opened();
      s.chats([], 1, false);
      s.resume();
      expect(s.chats([chat(6, 9, { chatId: other })])).toEqual(['1 fetch c_2 after 6, 128']);
    });

    it('does not replay a chat from its beginning because a push names it', () => {
      const s = opened();
      expect(s.push(9)).toEqual([]);
      expect(s.chats([], 1, false)).toEqual(['1 < WELCOME e1']);
      s.resume();
      expect(s.push(9)).toEqual(['1 list']);
      expect(s.chats([chat(8, 9)])).toEqual(['1 fetch c_1 after 8, 128']);
    });
  });

  it('goes on without the registry: the renewal registers it and reads the heads again', () => {
    const s = start();
    s.open();
    s.opened(1);
    expect(s.claimed({ outcome: 'failed' }).slice(-1)).toEqual(['1 list']);
  });

  it('tries a failed step again after a while, and sends the device away when it stays so', () => {
    const s = start();
    s.open();
    for (let i = 0; i < 7; i++) {
      expect(s.notOpened(i % 2 === 0 ? 'failed' : 'unknown')).toEqual(['wake retry 1 in 0.25 s']);
      expect(s.wake('retry', 1)).toEqual(['1 open d_1']);
    }
    expect(s.notOpened('failed')).toEqual(['1 < ERROR unavailable', '1 close 4006']);
    const listing = start();
    listing.open();
    listing.opened(1);
    listing.claimed();
    expect(listing.notListed()).toEqual(['wake retry 1 in 0.25 s']);
    expect(listing.wake('retry', 1)).toEqual(['1 list']);
    expect(listing.chats([])).toEqual(['1 < WELCOME e1']);
  });

  it('counts the failures of each step by itself', () => {
    const s = start();
    s.open();
    for (let i = 0; i < 7; i++) {
      s.notOpened('failed');
      s.wake('retry', 1);
    }
    s.opened(1);
    s.claimed();
    expect(s.notListed()).toEqual(['wake retry 1 in 0.25 s']);
  });

  it('names no cursor beyond what the user may see', () => {
    const s = start();
    s.open();
    s.opened(1);
    s.claimed();
    expect(s.chats([chat(9, 9, { spans: [{ after: 0, upTo: 2 }] })])).toEqual(['1 < WELCOME e1 c_1 2/2']);
  });

  it('takes RESUME and nothing else, and that after WELCOME', () => {
    const s = start();
    s.open();
    expect(s.resume()).toEqual(['1 < ERROR bad_frame']);
    s.opened(1);
    s.claimed();
    s.chats([]);
    expect(s.send('k1')).toEqual(['1 < ERROR bad_frame']);
    expect(s.resume()).toEqual(['1 < SYNCED']);
    expect(s.resume()).toEqual(['1 < ERROR bad_frame']);
  });

  it('without RESUME ends with an ERROR, and as long again later with 4002', () => {
    const s = start().welcome();
    s.later(10);
    expect(s.wake('session', 1)).toEqual(['1 < ERROR bad_frame', 'wake session 1 in 10 s']);
    s.later(10);
    expect(s.wake('session', 1)).toEqual(['1 close 4002', 'release d_1 e1']);
  });

  it('gives the whole time for RESUME when WELCOME came late', () => {
    const s = start();
    s.open();
    s.later(9);
    s.opened(1);
    s.claimed();
    s.chats([]);
    s.later(1);
    expect(s.wake('session', 1)).toEqual(['wake session 1 in 10 s']);
    s.later(10);
    expect(s.wake('session', 1)[0]).toBe('1 < ERROR bad_frame');
  });

  it('is refused by a gateway that is full', () => {
    const s = start({ gatewaySessions: 1 });
    s.open(1, 1);
    expect(s.open(2, 2)).toEqual(['2 < ERROR overloaded', '2 close 4006']);
  });
});
