import { describe, expect, it } from 'vitest';
import { chatId, clientMsgId, connId, deviceId, nodeId, serverMsgId, userId } from '../contract/ids.ts';
import { DEFAULT_LIMITS, type Limits } from '../contract/limits.ts';
import { OPEN_END } from '../contract/records.ts';
import { micros, MILLISECOND, SECOND } from '../contract/time.ts';
import type { ClientFrame } from '../wire/frames.ts';
import type { GatewayEffect } from './gateway-effect.ts';
import type { GatewayEvent } from './gateway-event.ts';
import { createGateway, stepGateway } from './gateway.ts';
import type { ServiceReply } from './service-call.ts';

const C = chatId('c_1');

/** What leaves the gateway, in short. */
function line(effect: GatewayEffect): string | undefined {
  if (effect.kind === 'frame' && effect.frame.frame === 'ERROR') {
    const { code, clientMsgId: key, refusedFrame, retryAfterMs } = effect.frame;
    return [code, refusedFrame, key, retryAfterMs].filter((part) => part !== undefined).join(' ');
  }
  if (effect.kind === 'request' && effect.request.kind === 'submit')
    return `pass ${effect.request.clientMsgId}`;
  if (effect.kind === 'request') return `pass ${effect.request.kind}`;
  if (effect.kind === 'disconnect') return `close ${effect.code}`;
  return effect.kind === 'open-device' ? 'opens' : undefined;
}

function start(change: Partial<Limits> = {}) {
  const gateway = createGateway({
    nodeId: nodeId('gw-1'),
    region: 'eu',
    limits: { ...DEFAULT_LIMITS, ...change },
    seed: 1,
  });
  let now = 100 * SECOND;
  const step = (event: GatewayEvent): string[] =>
    stepGateway(gateway, event, micros(now)).flatMap((effect) => line(effect) ?? []);
  const api = {
    gateway,
    later: (ms: number) => (now += ms * MILLISECOND),
    open: (conn: number, device: number, user = 1, address?: string) =>
      step({
        kind: 'open',
        conn: connId(conn),
        userId: userId(`u_${user}`),
        deviceId: deviceId(`d_${device}`),
        expiresAt: micros(9_000 * SECOND),
        address,
      }),
    live: (conn: number, device: number, user = 1) => {
      api.open(conn, device, user);
      const id = connId(conn);
      step({ kind: 'device-opened', conn: id, result: { outcome: 'ok', epoch: conn, confirmed: true } });
      step({ kind: 'claimed', conn: id, result: { outcome: 'held', previous: undefined } });
      const spans = [{ after: 0, upTo: OPEN_END }];
      const chats = [{ chatId: C, head: 0, cursor: 0, spans, receipts: [], size: 2 }];
      step({ kind: 'chats', conn: id, result: { outcome: 'ok', chats, complete: true } });
      api.say({ frame: 'RESUME', cursors: [] }, conn);
      return api;
    },
    reply: (reply: ServiceReply) => step({ kind: 'reply', reply }),
    say: (frame: ClientFrame, conn = 1) => step({ kind: 'frame', conn: connId(conn), frame }),
    send: (key: string, conn = 1) => {
      const id = clientMsgId(key);
      return api.say({ frame: 'SEND', clientMsgId: id, chatId: C, ciphertext: 'AAAA', mediaIds: [] }, conn);
    },
    read: () => api.say({ frame: 'RECEIPT', chatId: C, serverMsgId: serverMsgId('m_9'), type: 'READ' }),
  };
  return api;
}

describe('a device that sends faster than its rate', () => {
  const rate = { deviceSendBurst: 2, deviceSendInterval: 100 * MILLISECOND };

  it('is asked to wait, and nothing overtakes what was refused', () => {
    const s = start(rate).live(1, 1);
    expect([s.send('a'), s.send('b')].flat()).toEqual(['pass a', 'pass b']);
    expect(s.send('c')).toEqual(['rate_limited SEND c 1000']);
    s.later(150);
    // There is a token again, but d stands behind c.
    expect(s.send('d')).toEqual(['rate_limited SEND d 1000']);
    // What was passed on has its place.
    expect(s.send('a')).toEqual(['pass a']);
    s.later(850);
    expect([s.send('c'), s.send('d')].flat()).toEqual(['pass c', 'pass d']);
  });

  it('is not waited for when what was refused was a repeat, and the first of it is answered', () => {
    const answers = [
      {
        kind: 'ack',
        chatId: C,
        serverMsgId: serverMsgId('m_1'),
        seq: 1,
        sentAt: micros(1),
        duplicate: false,
      },
      { kind: 'refused', chatId: C, code: 'no_such_chat', message: '', retryAfterMs: undefined },
    ] as const;
    for (const answer of answers) {
      const s = start(rate).live(1, 1);
      expect([s.send('a'), s.send('b')].flat()).toEqual(['pass a', 'pass b']);
      expect([s.send('c'), s.send('b')].flat()).toEqual([
        'rate_limited SEND c 1000',
        'rate_limited SEND b 1000',
      ]);
      s.reply({ ...answer, conn: connId(1), clientMsgId: clientMsgId('b') });
      s.later(1_000);
      expect([s.send('c'), s.send('d')].flat()).toEqual(['pass c', 'pass d']);
    }
  });

  it('waits behind a repeat that the service could not take', () => {
    const s = start(rate).live(1, 1);
    for (const key of ['a', 'b', 'c', 'b']) s.send(key);
    const refusal = { kind: 'refused', code: 'overloaded', message: '', retryAfterMs: 1_000 } as const;
    s.reply({ ...refusal, chatId: C, conn: connId(1), clientMsgId: clientMsgId('b') });
    s.later(1_000);
    expect([s.send('c'), s.send('b'), s.send('c')].flat()).toEqual([
      'rate_limited SEND c 1000',
      'pass b',
      'pass c',
    ]);
  });

  it('is not waited for when it never sends the refused one again', () => {
    const s = start(rate).live(1, 1);
    for (const key of ['a', 'b', 'c']) s.send(key);
    s.later(11_000);
    expect(s.send('d')).toEqual(['pass d']);
  });

  it('keeps its bucket over a reconnect', () => {
    const s = start(rate).live(1, 1);
    for (const key of ['a', 'b']) s.send(key);
    s.live(2, 1);
    expect(s.send('c', 2)).toEqual(['rate_limited SEND c 1000']);
  });

  it('shares a bucket with the other devices of its user, and with nobody else', () => {
    const s = start({ userSendBurst: 1, userSendInterval: 5 * SECOND })
      .live(1, 1)
      .live(2, 2)
      .live(3, 3, 2);
    expect(s.send('a', 1)).toEqual(['pass a']);
    expect(s.send('b', 2)).toEqual(['rate_limited SEND b 5000']);
    expect(s.send('c', 3)).toEqual(['pass c']);
  });

  it('is sent away when it does not stop, and only then', () => {
    const s = start({ ...rate, rateRefusals: 4 }).live(1, 1);
    for (const key of ['a', 'b']) s.send(key);
    for (let i = 0; i < 4; i++) expect(s.send('c')).toHaveLength(1);
    expect(s.send('c')).toEqual(['close 4008']);
    expect(s.send('c')).toEqual([]);
    s.later(1_000);
    // Refusals come back: four in eight pauses.
    const calm = start({ ...rate, rateRefusals: 4 }).live(1, 1);
    for (const key of ['a', 'b', 'c']) calm.send(key);
    for (let i = 0; i < 20; i++) {
      calm.later(2_000);
      expect(calm.send('x')).not.toContain('close 4008');
      calm.send('y');
      expect(calm.send('z')).not.toContain('close 4008');
      calm.send('z');
    }
  });
});

describe('frames that nothing asked for', () => {
  it('have a rate of their own, and their refusal names them', () => {
    const s = start({ frameBurst: 2 }).live(1, 1);
    expect(s.say({ frame: 'OPEN', chatId: C })).toEqual(['pass members']);
    expect(s.say({ frame: 'TYPING', chatId: C })).toEqual(['pass typing']);
    expect(s.say({ frame: 'SYNC', chatId: C, afterSeq: 0, limit: 1 })).toEqual(['rate_limited SYNC 1000']);
    expect(s.read()).toEqual(['rate_limited RECEIPT 1000']);
    expect(s.send('a')).toEqual(['pass a']);
    s.later(10);
    expect(s.read()).toEqual(['pass receipt']);
  });
});

describe('connections', () => {
  it('come from one address at its rate', () => {
    const s = start({ addressConnectBurst: 2 });
    expect(s.open(1, 1, 1, '::1')).toEqual(['opens']);
    expect(s.open(2, 2, 2, '::1')).toEqual(['opens']);
    expect(s.open(3, 3, 3, '::1')).toEqual(['rate_limited 1000', 'close 4006']);
    expect(s.open(4, 4, 4, '::2')).toEqual(['opens']);
    expect(s.open(5, 5, 5)).toEqual(['opens']);
    s.later(10);
    expect(s.open(6, 3, 3, '::1')).toEqual(['opens']);
  });

  it('come from one user at its rate, whatever the address', () => {
    const s = start({ userConnectBurst: 1, userConnectInterval: 3 * SECOND });
    expect(s.open(1, 1, 1, '::1')).toEqual(['opens']);
    expect(s.open(2, 2, 1, '::2')).toEqual(['rate_limited 3000', 'close 4006']);
    s.later(3_000);
    expect(s.open(3, 2, 1, '::2')).toEqual(['opens']);
  });
});
