import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chatId, connId, deviceId, userId } from '../contract/ids.ts';
import { emptyDisk } from './device-disk.ts';
import { C, delayOf, start } from './testing/device-under-test.ts';

/** How long the next look at holes waits, when this one said SYNC. */
const pauseAfterSync = (lines: readonly string[]): number => {
  expect(lines[0]).toContain('> SYNC');
  return delayOf(lines, 'gap');
};

describe('the inbox', () => {
  it('shows each message once, and owes a receipt for the repetition too', () => {
    const s = start().live();
    expect(s.message(6)).toEqual(['show c_1 #6 of u_2']);
    expect(s.message(6)).toEqual([]);
    expect(s.message(3)).toEqual([]);
    expect(s.wake('receipt')).toEqual(['1 > DELIVERED c_1 m_6']);
    s.message(6);
    expect(s.wake('receipt')).toEqual(['1 > DELIVERED c_1 m_6']);
  });

  it('holds back what is ahead of a hole, and shows all of it in order when the hole is filled', () => {
    const s = start().live();
    expect(s.message(8)).toEqual([]);
    expect(s.message(7)).toEqual([]);
    expect(s.message(8)).toEqual([]);
    expect(s.message(6)).toEqual(['show c_1 #6 of u_2', 'show c_1 #7 of u_2', 'show c_1 #8 of u_2']);
    expect(s.wake('receipt')).toEqual(['1 > DELIVERED c_1 m_8']);
  });

  it('asks SYNC for a hole that stays, and again until it is filled', () => {
    const s = start().live();
    expect(s.all({ kind: 'frame', conn: connId(1), frame: { frame: 'PONG', t: 1 } })).toEqual([]);
    s.message(8);
    s.later(999);
    expect(s.wake('gap')).toEqual(['wake gap in 1']);
    s.later(1);
    const pause = pauseAfterSync(s.wake('gap'));
    expect(pause).toBeGreaterThanOrEqual(1_000);
    expect(pause).toBeLessThan(2_000);
    s.later(pause - 1);
    expect(s.wake('gap')).toEqual(['wake gap in 1']);
    s.later(1);
    expect(pauseAfterSync(s.wake('gap'))).toBeGreaterThanOrEqual(2_000);
    s.message(6);
    s.message(7);
    s.later(10_000);
    expect(s.wake('gap')).toEqual([]);
  });

  it('asks for the same ever less often, up to a bound, at times of its own', () => {
    const pausesOf = (seed: number): number[] => {
      const s = start({}, emptyDisk(), seed).live();
      s.message(8);
      let pause = 1_000;
      return Array.from({ length: 8 }, () => {
        s.later(pause);
        pause = pauseAfterSync(s.wake('gap'));
        return pause;
      });
    };
    const pauses = pausesOf(1);
    pauses.forEach((pause, i) => {
      expect(pause).toBeGreaterThanOrEqual(Math.min(1_000 * 2 ** i, 8_000));
      expect(pause).toBeLessThan(Math.min(2_000 * 2 ** i, 16_000));
    });
    expect(pausesOf(2)).not.toEqual(pauses);
  });

  it('is patient from the start again with a hole that gets smaller, and on a new connection', () => {
    const s = start().live();
    s.message(9);
    s.later(1_000);
    s.later(pauseAfterSync(s.wake('gap')));
    const long = pauseAfterSync(s.wake('gap'));
    expect(long).toBeGreaterThanOrEqual(2_000);
    expect(s.message(6)).toEqual(['show c_1 #6 of u_2']);
    s.later(long);
    expect(s.wake('gap')[0]).toBe('1 > SYNC c_1 after 6');
    s.reconnect().live();
    s.later(1_000);
    expect(s.wake('gap')[0]).toBe('2 > SYNC c_1 after 6');
  });

  it('looks after a new hole in time while it waits long for another', () => {
    const s = start().live();
    s.message(8);
    s.later(1_000);
    for (let i = 0; i < 3; i++) s.later(pauseAfterSync(s.wake('gap')));
    s.wake('gap');
    const due = s.device.gapDue!;
    s.message(3, { chatId: chatId('c_2') });
    expect(s.device.gapDue).toBeLessThan(due);
    s.later(1_000);
    expect(s.wake('gap')[0]).toBe('1 > SYNC c_2 after 0');
  });

  it('has patience with each hole anew', () => {
    const s = start().live();
    s.message(7);
    s.message(9);
    s.later(900);
    expect(s.message(6)).toEqual(['show c_1 #6 of u_2', 'show c_1 #7 of u_2']);
    s.later(100);
    expect(s.wake('gap')).toEqual(['wake gap in 900']);
    s.later(900);
    expect(s.wake('gap')[0]).toBe('1 > SYNC c_1 after 7');
  });

  // A member who joined late: the server says that nothing visible lies between.
  it('goes on where prev says, without a hole', () => {
    const s = start().live();
    expect(s.message(9, { prev: 5 })).toEqual(['show c_1 #9 of u_2']);
    expect(s.message(12, { prev: 11 })).toEqual([]);
    expect(s.message(11, { prev: 9 })).toEqual(['show c_1 #11 of u_2', 'show c_1 #12 of u_2']);
  });

  it('has an own message wait for what comes before it, like any other', () => {
    const s = start().live();
    s.send('k7');
    expect(s.ack('k7', 7)).toEqual(['sent k7 #7', 'drop k7']);
    expect(s.message(6)).toEqual(['show c_1 #6 of u_2', 'show c_1 #7 of u_1']);
    // Only what came as a MESSAGE is owed a receipt.
    expect(s.wake('receipt')).toEqual(['1 > DELIVERED c_1 m_6']);
  });

  // From an older server, which does not say that it is an own one.
  it('owes a receipt for an own message that was pushed before its ACK came', () => {
    const s = start().live();
    s.send('k7');
    s.message(7, { from: userId('u_1'), fromDevice: deviceId('d_1') });
    expect(s.ack('k7', 7)).toEqual(['sent k7 #7', 'drop k7']);
    expect(s.message(6)).toEqual(['show c_1 #6 of u_2', 'show c_1 #7 of u_1']);
    expect(s.wake('receipt')).toEqual(['1 > DELIVERED c_1 m_7']);
  });

  it('drops what is too far ahead to keep, and asks for it again', () => {
    const s = start({ deviceAhead: 1 }).live();
    s.message(7);
    s.message(8);
    expect(s.message(6)).toEqual(['show c_1 #6 of u_2', 'show c_1 #7 of u_2']);
    s.later(1_000);
    expect(s.wake('gap')[0]).toBe('1 > SYNC c_1 after 7');
    expect(s.message(8)).toEqual(['show c_1 #8 of u_2']);
    s.later(1_000);
    expect(s.wake('gap')).toEqual([]);
  });

  it('shows a new chat from its start', () => {
    const s = start().live();
    expect(s.message(1, { chatId: chatId('c_2') })).toEqual(['show c_2 #1 of u_2']);
    expect(s.message(3, { chatId: chatId('c_3') })).toEqual([]);
  });

  it('shows every message once and in order, in whatever order and however often they come', () => {
    const arrivals = fc.array(fc.integer({ min: 6, max: 20 }), { maxLength: 60 });
    fc.assert(
      fc.property(arrivals, fc.integer({ min: 1, max: 20 }), (seqs, deviceAhead) => {
        const s = start({ deviceAhead }).live();
        const shown: string[] = [];
        for (const seq of seqs) shown.push(...s.message(seq));
        // SYNC brings the rest, in order.
        for (let seq = 6; seq <= 20; seq++) shown.push(...s.message(seq));
        const all = Array.from({ length: 15 }, (_, i) => `show c_1 #${i + 6} of u_2`);
        expect(shown.filter((l) => l.startsWith('show'))).toEqual(all);
        expect(s.disk().cursors).toEqual([[C, 20, 'm_20']]);
      }),
    );
  });
});
