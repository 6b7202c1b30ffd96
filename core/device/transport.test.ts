import { describe, expect, it } from 'vitest';
import { connId } from '../contract/ids.ts';
import type { Limits } from '../contract/limits.ts';
import { SECOND } from '../contract/time.ts';
import { emptyDisk } from './device-disk.ts';
import { start } from './testing/device-under-test.ts';

describe('what carries the connection', () => {
  const auto = (change: Partial<Limits> = {}) => {
    const s = start(change, emptyDisk(), 1, 'auto');
    const next = (): string => s.wake('reconnect')[0] ?? 'nothing';
    const refused = (status: number) =>
      s.step({ kind: 'refused', conn: s.device.link.conn ?? connId(0), status });
    const pollLive = () => {
      s.start();
      refused(400);
      next();
      refused(400);
      expect(next()).toBe('connect 3 by poll');
      s.welcome('c_1 5');
      s.synced();
    };
    return Object.assign(s, { next, refused, pollLive });
  };

  it('is a WebSocket, and long polling after two that came to nothing, whatever it was', () => {
    const s = auto();
    expect(s.start()[0]).toBe('connect 1');
    s.refused(400);
    expect(s.next()).toBe('connect 2');
    s.wake('connect');
    expect(s.next()).toBe('connect 3 by poll');
    s.welcome('c_1 5');
    s.synced();
    // What worked is used again.
    s.closed();
    expect(s.next()).toBe('connect 4 by poll');
  });

  it('stays a WebSocket when one reached WELCOME in between, or the server only had no time', () => {
    const s = auto();
    s.start();
    s.closed();
    s.next();
    s.welcome();
    s.closed();
    expect(s.next()).toBe('connect 3');
    for (let conn = 4; conn < 9; conn++) {
      s.refused(503);
      expect(s.next()).toBe(`connect ${conn}`);
    }
  });

  it('is both in turn when nobody answers polls either', () => {
    const s = auto();
    s.start();
    const tried = ['connect 1'];
    while (tried.length < 7) {
      s.closed();
      tried.push(s.next());
    }
    const poll = ' by poll';
    expect(tried.map((each) => each.endsWith(poll))).toEqual([false, false, true, false, true, false, true]);
  });

  it('is tried as a WebSocket again later, and later still each time that fails', () => {
    const s = auto();
    s.pollLive();
    let conn = 3;
    for (const minutes of [1, 2, 4, 8, 16, 32, 60, 60]) {
      s.later(minutes * 60_000 - 1);
      s.hear({ frame: 'PONG', t: 1 });
      expect(s.wake('heartbeat')[0]).toBe(`${conn} > PING`);
      s.later(1);
      expect(s.wake('heartbeat').slice(0, 2)).toEqual([`disconnect ${conn} 1000`, `connect ${conn + 1}`]);
      s.refused(426);
      expect(s.next()).toBe(`connect ${conn + 2} by poll`);
      s.welcome('c_1 5');
      s.synced();
      conn += 2;
    }
    s.later(60 * 60_000);
    s.hear({ frame: 'PONG', t: 1 });
    s.wake('heartbeat');
    s.welcome('c_1 5');
    s.synced();
    // It works again: it takes two to give it up.
    s.closed();
    s.next();
    s.closed();
    expect(s.next()).toBe(`connect ${conn + 3}`);
  });

  it('is not changed while a send is under way', () => {
    const s = auto({ sendRetry: 600 * SECOND });
    s.pollLive();
    s.send('k1');
    s.later(60_000);
    s.hear({ frame: 'PONG', t: 1 });
    expect(s.wake('heartbeat')[0]).toBe('3 > PING');
    s.ack('k1', 6);
    expect(s.wake('heartbeat')[0]).toBe('disconnect 3 1000');
  });

  it.each(['websocket', 'poll'] as const)('is %s alone when that was asked for', (transport) => {
    const s = start({}, emptyDisk(), 1, transport);
    const suffix = transport === 'poll' ? ' by poll' : '';
    expect(s.start()[0]).toBe(`connect 1${suffix}`);
    for (let conn = 2; conn < 6; conn++) {
      s.closed();
      expect(s.wake('reconnect')[0]).toBe(`connect ${conn}${suffix}`);
    }
  });
});
