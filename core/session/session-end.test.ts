import { describe, expect, it } from 'vitest';
import { connId, nodeId } from '../contract/ids.ts';
import { micros } from '../contract/time.ts';
import { stepGateway } from './gateway.ts';
import { chat, me, start } from './testing/gateway-under-test.ts';

describe('a newer connection of the device', () => {
  it('at this gateway takes over at once', () => {
    const s = start().live(1, 1, 1);
    s.push(6);
    s.open(2);
    expect(s.opened(2, 2)).toEqual([
      '1 < GOAWAY replaced',
      '1 close 4001',
      'push 1 no-session',
      'release d_1 e1',
      '2 claim e2',
    ]);
  });

  it('whose older sibling opens late sends that one away', () => {
    const s = start();
    s.open(1);
    s.open(2);
    s.opened(8, 2);
    expect(s.opened(7, 1)).toEqual(['1 < GOAWAY replaced', '1 close 4001']);
  });

  it('leaves the other devices of the user alone', () => {
    const s = start().live(1, 1, 1);
    s.open(2, 2);
    expect(s.opened(2, 2)).toEqual(['2 claim e2']);
  });

  it('evicts the one at another gateway', () => {
    const s = start();
    s.open();
    s.opened(2);
    const previous = { ...me(), gatewayId: nodeId('gw-2'), epoch: 1 };
    expect(s.claimed({ outcome: 'held', previous })).toEqual([
      'evict d_1 below e2 at gw-2',
      'wake renew in 15 s',
      '1 list',
    ]);
  });

  it('evicts nobody when the one it replaced was here', () => {
    const s = start();
    s.open();
    s.opened(2);
    const previous = { ...me(), gatewayId: nodeId('gw-1'), epoch: 1 };
    expect(s.claimed({ outcome: 'held', previous })).toEqual(['wake renew in 15 s', '1 list']);
  });

  it('at another gateway evicts this one, and a late eviction by an older one does nothing', () => {
    const s = start().live(1, 1, 5);
    expect(s.step({ kind: 'evict', ...me(), epoch: 5 })).toEqual([]);
    expect(s.step({ kind: 'evict', ...me(2), epoch: 6 })).toEqual([]);
    expect(s.step({ kind: 'evict', ...me(), epoch: 6 })).toEqual([
      '1 < GOAWAY replaced',
      '1 close 4001',
      'release d_1 e5',
    ]);
  });

  it('fences this one when it claims, or renews, its lease', () => {
    const s = start();
    s.open();
    s.opened(1);
    const gone = ['1 < GOAWAY replaced', '1 close 4001', 'release d_1 e1'];
    expect(s.claimed({ outcome: 'fenced', epoch: 2 })).toEqual(gone);
    expect(start().live().renewed('fenced')).toEqual(gone);
  });
});

describe('a session ends', () => {
  it('after silence with 4004, and any frame is a sign of life', () => {
    const s = start().live();
    s.later(39);
    expect(s.wake('session', 1)).toEqual(['wake session 1 in 15 s']);
    expect(s.say({ frame: 'PING', t: 7 })).toEqual(['1 < PONG 7']);
    s.later(39);
    expect(s.wake('session', 1)).toEqual(['wake session 1 in 15 s']);
    s.later(1);
    expect(s.wake('session', 1)).toEqual(['1 close 4004', 'release d_1 e1']);
  });

  it('when its token does', () => {
    const s = start().live();
    s.later(4_900);
    expect(s.wake('session', 1)).toEqual(['1 < GOAWAY auth_expired', '1 close 4005', 'release d_1 e1']);
  });

  it('after many bad frames with 4008, and not after a few', () => {
    const s = start({ badFrames: 3 }).live();
    const bad = { kind: 'bad-frame', conn: connId(1), code: 'too_large', message: 'ciphertext: …' } as const;
    expect(s.step(bad)).toEqual(['1 < ERROR too_large']);
    expect(s.step({ ...bad, code: 'bad_frame' })).toEqual(['1 < ERROR bad_frame']);
    expect(s.step(bad)).toEqual(['1 < ERROR too_large', '1 close 4008', 'release d_1 e1']);
    expect(s.step(bad)).toEqual([]);
  });

  it('when the device does not read; before that nothing more is pushed to it', () => {
    const s = start({ socketBufferBytes: 1_000 }).live();
    const buffered = (bytes: number) => s.step({ kind: 'buffered', conn: connId(1), bytes });
    expect(buffered(500)).toEqual([]);
    expect(s.push(6)).toEqual(['1 < MESSAGE c_1 #6 prev 5']);
    expect(buffered(501)).toEqual([]);
    expect(s.push(7)).toEqual(['1 < PING 1']);
    expect(buffered(400)).toEqual(['1 fetch c_1 after 6, 128']);
    s.fetched([7], 7);
    expect(buffered(1_000)).toEqual([]);
    expect(buffered(1_001)).toEqual([
      '1 < GOAWAY slow_consumer',
      '1 close 4003',
      'push 2 no-session',
      'push 1 no-session',
      'release d_1 e1',
    ]);
  });

  it('and what was under way for it is nobody’s', () => {
    const s = start().welcome([chat(3, 5)]);
    s.resume();
    s.step({ kind: 'closed', conn: connId(1) });
    expect(s.fetched([4, 5], 5)).toEqual([]);
    expect(s.wake('session', 1)).toEqual([]);
    expect(s.wake('retry', 1)).toEqual([]);
    expect(s.say({ frame: 'PING', t: 1 })).toEqual([]);
    expect([s.gateway.reads, s.gateway.sessions.size, s.gateway.byUser.size]).toEqual([0, 0, 0]);
  });
});

describe('a session by long polling', () => {
  const polled = { kind: 'polled', conn: connId(1) } as const;

  it('may be silent for 60 s, counted from its last poll or frame, and not longer', () => {
    const s = start().live();
    s.all(polled);
    s.later(59);
    expect(s.wake('session', 1)).toEqual(['wake session 1 in 15 s']);
    s.all(polled);
    s.later(59);
    expect(s.wake('session', 1)).toEqual(['wake session 1 in 15 s']);
    s.later(1);
    expect(s.wake('session', 1)).toEqual(['1 close 4004', 'release d_1 e1']);
    expect(s.all(polled)).toEqual([]);
  });
});

describe('a token that runs out', () => {
  it('ends the session at that moment, not at the next heartbeat', () => {
    const s = start().live();
    s.later(5_000 - 100 - 9);
    s.say({ frame: 'PING', t: 1 });
    expect(s.wake('session', 1)).toEqual(['wake session 1 in 9 s']);
    s.later(9);
    expect(s.wake('session', 1)).toEqual(['1 < GOAWAY auth_expired', '1 close 4005', 'release d_1 e1']);
  });
});

describe('a gateway that drains', () => {
  const drain = { kind: 'drain' } as const;

  it('asks everybody to go, takes nobody, serves who is there, and closes what is left', () => {
    const s = start().live(1, 1).live(2, 2);
    expect(s.all(drain)).toEqual(['1 < GOAWAY drain', '2 < GOAWAY drain', 'wake drain-end in 25 s']);
    expect(s.all(drain)).toEqual([]);
    expect(s.open(3, 3)).toEqual(['3 < GOAWAY drain', '3 close 1001']);
    expect(s.push(6)).toEqual(['1 < MESSAGE c_1 #6 prev 5']);
    expect(s.receipt(6)).toEqual(['push 1 settled', 'note DELIVERED c_1 #6']);
    expect(s.step({ kind: 'closed', conn: connId(1) })).toEqual(['release d_1 e1']);
    expect(s.wake('drain-end')).toEqual(['2 close 1001', 'release d_2 e1', 'drained']);
  });

  it('is done at once without sessions', () => {
    expect(start().step(drain)).toEqual(['drained']);
  });

  it('spreads the reconnects over the whole range', () => {
    const s = start();
    for (let n = 1; n <= 100; n++) s.live(n, n);
    const delays = stepGateway(s.gateway, drain, micros(0)).flatMap((effect) =>
      effect.kind === 'frame' && effect.frame.frame === 'GOAWAY' ? [effect.frame.reconnectAfterMs] : [],
    );
    expect(delays).toHaveLength(100);
    const tenths = new Set(delays.map((ms) => Math.floor(ms / 1_000)));
    expect(tenths).toEqual(new Set([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]));
  });
});
