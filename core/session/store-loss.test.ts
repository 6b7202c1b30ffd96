import { describe, expect, it } from 'vitest';
import { connId, deviceId, userId } from '../contract/ids.ts';
import { DEFAULT_LIMITS } from '../contract/limits.ts';
import type { GatewayEvent } from './gateway-event.ts';
import { C, chat, GatewayUnderTest, row } from './testing/gateway-under-test.ts';

const FAILED = { outcome: 'failed' } as const;

/** A gateway with sessions of a chat of five messages, which all of them have. Each is of a user of its own. */
function start(size = 2) {
  const gateway = new GatewayUnderTest();
  const step = (event: GatewayEvent): string[] => gateway.step(event);
  const api = {
    goaways: gateway.goaways,
    step,
    later: (seconds: number) => gateway.later(seconds),
    retry: (conn = 1) => step({ kind: 'wake', timer: 'retry', conn: connId(conn) }),
    listed: (conn = 1) => gateway.chats([chat(5, 5, { size })], conn),
    notListed: (conn = 1) => step({ kind: 'chats', conn: connId(conn), result: FAILED }),
    live(conn = 1) {
      gateway.listing(conn, conn, 1, conn);
      api.listed(conn);
      gateway.resume(undefined, conn);
      return api;
    },
    sync: (conn = 1) => gateway.say({ frame: 'SYNC', chatId: C, afterSeq: 0, limit: 10 }, conn),
    notFetched: (conn = 1) => gateway.answer(FAILED, conn),
    /** A message that comes next, with all it says. */
    push: (seq: number, conn = 1) => {
      const message = row(seq, { from: userId('u_9'), fromDevice: deviceId('d_9') });
      return gateway.pushItem({ kind: 'message', message }, conn, 1, conn);
    },
  };
  return api;
}

/** Device 1 asks SYNC, which fails again and again for 32 seconds. @returns what the last failure led to. */
function failFor32Seconds(s: ReturnType<typeof start>): string[] {
  s.sync();
  let last: string[] = [];
  for (const seconds of [0, 8, 8, 8, 8]) {
    s.later(seconds);
    s.retry();
    last = s.notFetched();
  }
  return last;
}

describe('a gateway that has lost its store', () => {
  it('asks the list of who needs the store, and sends him away once when no shard answers that either', () => {
    const s = start().live();
    expect(failFor32Seconds(s)).toEqual(['1 list']);
    expect(s.notListed()).toEqual(['1 < GOAWAY drain']);
    s.later(8);
    expect(s.retry()).toContain('1 list');
    expect(s.notListed()).toEqual([]);
  });

  it('serves on whom it has sent away, and whoever needs nothing of the store stays', () => {
    const s = start().live().live(2);
    failFor32Seconds(s);
    s.notListed();
    expect(s.push(6)).toContain('1 < MESSAGE c_1 #6 prev 5');
    expect(s.push(6, 2)).toContain('2 < MESSAGE c_1 #6 prev 5');
    expect(s.goaways).toHaveLength(1);
    // It needs something now: what the others found out is known.
    expect(s.sync(2)).toEqual(['2 fetch c_1 after 0, 10']);
    expect(s.notFetched(2)).toEqual(['2 list']);
    expect(s.notListed(2)).toEqual(['2 < GOAWAY drain']);
  });

  it('sends them away one by one, within the time of a drain', () => {
    const s = start();
    for (let conn = 1; conn <= 50; conn++) s.live(conn);
    failFor32Seconds(s);
    s.notListed();
    for (let conn = 2; conn <= 50; conn++) {
      s.sync(conn);
      s.notFetched(conn);
      s.notListed(conn);
    }
    const times = s.goaways.map(({ reconnectAfterMs }) => reconnectAfterMs);
    expect(times).toHaveLength(50);
    expect(Math.max(...times)).toBeLessThan(10_000);
    expect(Math.max(...times) - Math.min(...times)).toBeGreaterThan(5_000);
  });

  it('sends nobody away while some shard answers, nor for what failed long ago', () => {
    const s = start().live();
    expect(failFor32Seconds(s)).toEqual(['1 list']);
    s.listed();
    s.later(8);
    s.retry();
    expect(s.notFetched()).toEqual([]);
    s.later(61);
    s.retry();
    expect(s.notFetched()).toEqual([]);
    expect(s.goaways).toEqual([]);
  });

  it('does not take the time before its clock was set for a loss', () => {
    const s = start().live();
    s.sync();
    s.notFetched();
    s.later(-1_000);
    s.retry();
    expect(s.notFetched()).toEqual([]);
    // What fails by the new time counts from there.
    s.later(30);
    s.retry();
    expect(s.notFetched()).toEqual(['1 list']);
  });

  it('finds out by a count that a device waits for', () => {
    const s = start().live();
    const counted = (): string[] => s.step({ kind: 'counted', conn: connId(1), chatId: C, result: FAILED });
    expect(counted()).toEqual([]);
    s.later(30);
    expect(counted()).toEqual(['1 list']);
  });

  it('finds out by the heads of huge groups as well, of which their members hear nothing else', () => {
    const s = start(DEFAULT_LIMITS.hugeGroup + 1).live();
    expect(s.step({ kind: 'heads', result: FAILED })).toEqual([]);
    s.later(30);
    // Those of a shard that does not answer are left out.
    expect(s.step({ kind: 'heads', result: { outcome: 'ok', heads: [] } })).toEqual(['1 list']);
    expect(s.notListed()).toEqual(['1 < GOAWAY drain']);
  });
});
