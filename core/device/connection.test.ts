import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chatId, connId } from '../contract/ids.ts';
import { SECOND } from '../contract/time.ts';
import { type DeviceDisk, emptyDisk } from './device-disk.ts';
import { delayOf, start } from './testing/device-under-test.ts';

describe('connecting', () => {
  it('goes by WELCOME, RESUME, SYNCED', () => {
    const s = start();
    expect(s.start()).toEqual(['connect 1', 'wake connect in 10000', 'connecting']);
    expect(s.start()).toEqual([]);
    expect(s.step({ kind: 'connected', conn: connId(1) })).toEqual([]);
    // A chat seen for the first time starts where the server says.
    expect(s.welcome('c_1 5')).toEqual(['cursor c_1 5', '1 > RESUME', 'resuming']);
    expect(s.synced()).toEqual(['synced', 'live']);
  });

  it('names in RESUME only the chats of which the server knows another cursor, those behind first', () => {
    const disk: DeviceDisk = {
      outbox: [],
      cursors: [
        [chatId('c_1'), 9, undefined],
        [chatId('c_2'), 3, undefined],
        [chatId('c_3'), 4, undefined],
        [chatId('c_4'), 8, undefined],
      ],
    };
    const s = start({}, disk);
    s.start();
    // WELCOME leaves out what lies on a shard that does not answer: the server learns of it now all the same.
    expect(s.welcome('c_1 7', 'c_2 3', 'c_3 6', 'c_5 2')).toEqual([
      'cursor c_5 2',
      '1 > RESUME c_3 4 c_1 9 c_4 8',
      'resuming',
    ]);
    const few = start({ resumeCursors: 1 }, disk);
    few.start();
    expect(few.welcome('c_1 7', 'c_3 6')).toEqual(['1 > RESUME c_3 4', 'resuming']);
  });

  it('is given up and tried again when WELCOME does not come', () => {
    const s = start();
    s.start();
    const gone = s.wake('connect');
    expect(gone.filter((l) => !l.startsWith('wake'))).toEqual(['disconnect 1 1000', 'offline']);
    // What the given-up connection still says is nobody's.
    expect(s.synced()).toEqual([]);
    expect(s.closed()).toEqual([]);
    expect(s.wake('reconnect')).toEqual(['connect 2', 'wake connect in 10000', 'connecting']);
    s.welcome();
    expect(s.wake('connect')).toEqual([]);
  });

  it('backs off with full jitter: within the range, which doubles to its maximum, and starts anew once live', () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const s = start({}, emptyDisk(), seed);
        s.start();
        for (let i = 0; i < 12; i++) {
          const delay = delayOf(s.closed());
          expect(delay).toBeGreaterThanOrEqual(0);
          expect(delay).toBeLessThan(Math.min(250 * 2 ** i, 20_000));
          s.wake('reconnect');
        }
        s.welcome();
        s.synced();
        expect(delayOf(s.closed())).toBeLessThan(250);
      }),
      { numRuns: 50 },
    );
  });

  it('draws each delay of one device anew', () => {
    const s = start({ reconnectBase: 20 * SECOND });
    s.start();
    const delays = Array.from({ length: 40 }, () => {
      const delay = delayOf(s.closed());
      s.wake('reconnect');
      return Math.floor(delay / 4_000);
    });
    expect(new Set(delays)).toEqual(new Set([0, 1, 2, 3, 4]));
  });

  it('backs off for longer after each failure', () => {
    const longest = Array.from({ length: 8 }, () => 0);
    for (let seed = 0; seed < 100; seed++) {
      const s = start({}, emptyDisk(), seed);
      s.start();
      for (let i = 0; i < longest.length; i++) {
        longest[i] = Math.max(longest[i] ?? 0, delayOf(s.closed()));
        s.wake('reconnect');
      }
    }
    // Of a hundred draws one is in the upper half, but for one chance in 2^100; these draws are fixed.
    longest.forEach((ms, i) => expect(ms).toBeGreaterThan(Math.min(250 * 2 ** i, 20_000) / 2));
  });

  it('spreads devices and attempts over the range', () => {
    const delays = Array.from({ length: 200 }, (_, seed) => {
      const s = start({ reconnectBase: 20 * SECOND }, emptyDisk(), seed);
      s.start();
      return delayOf(s.closed());
    });
    expect(new Set(delays.map((ms) => Math.floor(ms / 2_000))).size).toBe(10);
  });

  it('ends with a token that is refused, until started again', () => {
    const s = start();
    s.start();
    expect(s.step({ kind: 'refused', conn: connId(1), status: 401 })).toEqual(['unauthenticated']);
    expect(s.wake('reconnect')).toEqual([]);
    expect(s.start()[0]).toBe('connect 2');
    // Any other status may pass.
    expect(s.step({ kind: 'refused', conn: connId(2), status: 503 })).toEqual(['offline']);
    expect(s.wake('reconnect')[0]).toBe('connect 3');
  });

  it('ends with stop', () => {
    const s = start().live();
    expect(s.step({ kind: 'stop' })).toEqual(['disconnect 1 1000', 'stopped']);
    expect(s.wake('reconnect')).toEqual([]);
    expect(s.message(6)).toEqual([]);
    expect(s.wake('heartbeat')).toEqual([]);
  });

  it('pings, and leaves a connection that says nothing', () => {
    const s = start().live();
    s.later(15_000);
    expect(s.wake('heartbeat')).toEqual(['1 > PING', 'wake heartbeat in 15000']);
    s.hear({ frame: 'PONG', t: 1 });
    s.later(39_999);
    expect(s.wake('heartbeat')[0]).toBe('1 > PING');
    s.later(1);
    expect(s.wake('heartbeat').filter((l) => !l.startsWith('wake'))).toEqual([
      'disconnect 1 4004',
      'offline',
    ]);
  });

  it('counts silence anew when its clock is set back, and not from a moment that lies ahead', () => {
    const s = start().live();
    s.later(-90_000);
    expect(s.wake('heartbeat')[0]).toBe('1 > PING');
    s.later(39_999);
    expect(s.wake('heartbeat')[0]).toBe('1 > PING');
    s.later(1);
    expect(s.wake('heartbeat')[0]).toBe('disconnect 1 4004');
  });

  it('answers a PING', () => {
    expect(start().live().hear({ frame: 'PING', t: 3 })).toEqual(['1 > PONG']);
  });
});

describe('GOAWAY', () => {
  it('drain: goes on until the time it was told, then moves', () => {
    const s = start().live();
    expect(s.goaway('drain', 750)).toEqual(['wake reconnect in 750']);
    expect(s.message(6)).toEqual(['show c_1 #6 of u_2']);
    expect(s.send('k1')).toEqual(['keep k1', '1 > SEND k1']);
    expect(s.wake('reconnect')).toEqual([
      'disconnect 1 1000',
      'connect 2',
      'wake connect in 10000',
      'connecting',
    ]);
    // Nobody answered k1 on the old connection, so it goes again.
    expect(s.welcome('c_1 5')).toEqual(['2 > RESUME c_1 6', 'resuming', '2 > SEND k1']);
  });

  // Two runs of one application would take the connection from each other for ever.
  it('replaced: comes back late, and later each time', () => {
    const s = start().live();
    for (const range of [20_000, 40_000, 80_000]) {
      const lines = s.goaway('replaced');
      expect(lines.filter((l) => !l.startsWith('wake'))).toEqual([
        `disconnect ${s.device.link.nextConn - 1} 1000`,
        'replaced',
      ]);
      expect(delayOf(lines)).toBeGreaterThanOrEqual(range);
      expect(delayOf(lines)).toBeLessThan(2 * range);
      s.wake('reconnect');
      s.welcome('c_1 5');
      s.synced();
    }
    // A connection that lasts makes it forget.
    s.wake('heartbeat');
    expect(delayOf(s.goaway('replaced'))).toBeLessThan(40_000);
  });

  it.each(['slow_consumer', 'auth_expired'] as const)('%s: comes back soon', (reason) => {
    const lines = start().live().goaway(reason);
    expect(delayOf(lines)).toBeLessThan(250);
    expect(lines).toContain('offline');
  });
});
