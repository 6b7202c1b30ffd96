import { describe, expect, it } from 'vitest';
import { chatId, clientMsgId, connId, deviceId, nodeId, serverMsgId, userId } from '../contract/ids.ts';
import { DEFAULT_LIMITS } from '../contract/limits.ts';
import { OPEN_END } from '../contract/records.ts';
import { micros, SECOND } from '../contract/time.ts';
import type { GoawayFrame } from '../wire/frames.ts';
import { createGateway, stepGateway } from './gateway.ts';
import type { GatewayEffect } from './gateway-effect.ts';
import type { GatewayEvent } from './gateway-event.ts';

const C = chatId('c_1');
const FAILED = { outcome: 'failed' } as const;

function line(effect: GatewayEffect): string[] {
  switch (effect.kind) {
    case 'frame':
      return [
        `${effect.conn} < ${effect.frame.frame}${effect.frame.frame === 'GOAWAY' ? ` ${effect.frame.reason}` : ''}`,
      ];
    case 'list-chats':
      return [`${effect.conn} list`];
    case 'fetch':
      return [`${effect.conn} fetch`];
    case 'disconnect':
      return [`${effect.conn} close`];
    default:
      return [];
  }
}

/** A gateway with sessions of a chat of five messages, which all of them have. */
function start(size = 2) {
  const gateway = createGateway({ nodeId: nodeId('gw-1'), region: 'eu', limits: DEFAULT_LIMITS, seed: 1 });
  let now = 100 * SECOND;
  const calls = new Map<number, number>();
  const goaways: GoawayFrame[] = [];
  const step = (event: GatewayEvent): string[] => {
    const effects = stepGateway(gateway, event, micros(now));
    for (const effect of effects) {
      if (effect.kind === 'fetch') calls.set(effect.conn, effect.call);
      else if (effect.kind === 'frame' && effect.frame.frame === 'GOAWAY') goaways.push(effect.frame);
    }
    return effects.flatMap(line);
  };
  const api = {
    goaways,
    step,
    later: (seconds: number) => (now += seconds * SECOND),
    retry: (conn = 1) => step({ kind: 'wake', timer: 'retry', conn: connId(conn) }),
    listed: (conn = 1) => {
      const chats = [
        { chatId: C, head: 5, cursor: 5, spans: [{ after: 0, upTo: OPEN_END }], receipts: [], size },
      ];
      return step({ kind: 'chats', conn: connId(conn), result: { outcome: 'ok', chats, complete: true } });
    },
    notListed: (conn = 1) => step({ kind: 'chats', conn: connId(conn), result: FAILED }),
    live(conn = 1) {
      const who = { userId: userId(`u_${conn}`), deviceId: deviceId(`d_${conn}`) };
      step({ kind: 'open', conn: connId(conn), ...who, expiresAt: micros(9_000 * SECOND) });
      const opened = { outcome: 'ok', epoch: 1, confirmed: true } as const;
      step({ kind: 'device-opened', conn: connId(conn), result: opened });
      step({ kind: 'claimed', conn: connId(conn), result: { outcome: 'held', previous: undefined } });
      api.listed(conn);
      step({ kind: 'frame', conn: connId(conn), frame: { frame: 'RESUME', cursors: [] } });
      return api;
    },
    sync: (conn = 1) =>
      step({
        kind: 'frame',
        conn: connId(conn),
        frame: { frame: 'SYNC', chatId: C, afterSeq: 0, limit: 10 },
      }),
    notFetched: (conn = 1) => {
      const call = calls.get(conn)!;
      return step({ kind: 'fetched', conn: connId(conn), call, chatId: C, result: FAILED });
    },
    /** A message that comes next, with all it says. */
    push: (seq: number, conn = 1) =>
      step({
        kind: 'push',
        push: {
          worker: nodeId('dw-1'),
          pushId: seq,
          userId: userId(`u_${conn}`),
          deviceId: deviceId(`d_${conn}`),
          epoch: 1,
          item: {
            kind: 'message',
            message: {
              chatId: C,
              seq,
              serverMsgId: serverMsgId(`m_${seq}`),
              clientMsgId: clientMsgId(`k${seq}`),
              from: userId('u_9'),
              fromDevice: deviceId('d_9'),
              ciphertext: 'AAAA',
              mediaIds: [],
              sentAt: micros(1),
            },
          },
        },
      }),
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
    expect(s.push(6)).toContain('1 < MESSAGE');
    expect(s.push(6, 2)).toContain('2 < MESSAGE');
    expect(s.goaways).toHaveLength(1);
    // It needs something now: what the others found out is known.
    expect(s.sync(2)).toEqual(['2 fetch']);
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
