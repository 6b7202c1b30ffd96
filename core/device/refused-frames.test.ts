import { describe, expect, it } from 'vitest';
import { chatId, clientMsgId, connId, deviceId, nodeId, serverMsgId, userId } from '../contract/ids.ts';
import { DEFAULT_LIMITS, type Limits } from '../contract/limits.ts';
import { micros, MILLISECOND, SECOND } from '../contract/time.ts';
import type { ServerFrame } from '../wire/frames.ts';
import { emptyDisk } from './device-disk.ts';
import type { DeviceEffect } from './device-effect.ts';
import type { DeviceEvent, DeviceTimer } from './device-event.ts';
import { createDevice, stepDevice } from './device.ts';

const C = chatId('c_1');

function line(effect: DeviceEffect): string | undefined {
  if (effect.kind === 'wake') return `wake ${effect.timer} ${effect.after / 1_000}`;
  if (effect.kind !== 'frame') return undefined;
  const { frame } = effect;
  if (frame.frame === 'SEND') return `SEND ${frame.clientMsgId}`;
  return frame.frame === 'RECEIPT' ? frame.type : frame.frame;
}

/** Live, in c_1, having everything up to #5. */
function start(change: Partial<Limits> = {}) {
  const limits = { ...DEFAULT_LIMITS, ...change };
  const device = createDevice({
    userId: userId('u_1'),
    deviceId: deviceId('d_1'),
    limits,
    seed: 1,
    disk: emptyDisk(),
  });
  let now = 100 * SECOND;
  let conn = connId(1);
  const step = (event: DeviceEvent): string[] => {
    const effects = stepDevice(device, event, micros(now));
    for (const effect of effects) if (effect.kind === 'connect') conn = effect.conn;
    return effects.flatMap((effect) => line(effect) ?? []);
  };
  const hear = (frame: ServerFrame): string[] => step({ kind: 'frame', conn, frame });
  const api = {
    step,
    hear,
    later: (ms: number) => (now += ms * MILLISECOND),
    wake: (timer: DeviceTimer) => step({ kind: 'wake', timer }),
    live: () => {
      const gatewayId = nodeId('gw-1');
      const chats = [{ chatId: C, head: 9, cursor: 5 }];
      const own = { deviceId: deviceId('d_1'), gatewayId, region: 'eu', sessionEpoch: 1 };
      hear({ frame: 'WELCOME', ...own, heartbeatMs: 15_000, maxInFlight: 256, chats });
      return hear({ frame: 'SYNCED', heads: [] });
    },
    send: (key: string) =>
      step({ kind: 'send', clientMsgId: clientMsgId(key), chatId: C, ciphertext: 'AAAA', mediaIds: [] }),
    ack: (key: string, seq: number) =>
      hear({
        frame: 'ACK',
        clientMsgId: clientMsgId(key),
        chatId: C,
        serverMsgId: serverMsgId(`m_${seq}`),
        seq,
        sentAt: undefined,
        duplicate: false,
      }),
    refuse: (refusedFrame: 'SEND' | 'RECEIPT' | 'OPEN' | 'CLOSE', retryAfterMs: number, key?: string) =>
      hear({
        frame: 'ERROR',
        code: 'rate_limited',
        message: 'too fast',
        retryAfterMs,
        clientMsgId: key === undefined ? undefined : clientMsgId(key),
        chatId: C,
        refusedFrame,
      }),
    reconnect: () => {
      step({ kind: 'closed', conn, code: 1006 });
      api.wake('reconnect');
      return api.live();
    },
  };
  step({ kind: 'start' });
  api.live();
  return api;
}

describe('a send that was refused for its rate', () => {
  it('comes again after the pause, before everything that was sent behind it', () => {
    const s = start();
    for (const key of ['a', 'b', 'c', 'd']) s.send(key);
    expect(s.refuse('SEND', 1_000, 'b')).toEqual(['wake send 1000']);
    expect(s.refuse('SEND', 1_000, 'c')).toEqual(['wake send 1000']);
    s.later(400);
    // Nothing meanwhile, and nothing is lost.
    expect(s.send('e')).toEqual(['wake send 600']);
    expect(s.ack('a', 6)).toEqual(['wake send 600']);
    // The last word counts.
    expect(s.refuse('SEND', 1_000, 'd')).toEqual(['wake send 1000']);
    s.later(1_000);
    expect(s.wake('send')).toEqual(['SEND b', 'wake send 5000', 'SEND c', 'SEND d', 'SEND e']);
  });

  it('is not taken for sent when an earlier refusal of it comes late', () => {
    const s = start();
    for (const key of ['a', 'b']) s.send(key);
    s.refuse('SEND', 1_000, 'a');
    const about = { message: 'busy', retryAfterMs: 1_000, chatId: C } as const;
    s.hear({ frame: 'ERROR', code: 'overloaded', clientMsgId: clientMsgId('b'), ...about });
    s.later(1_000);
    expect(s.wake('send')).toEqual(['SEND a', 'wake send 5000', 'SEND b']);
    s.ack('a', 6);
    s.ack('b', 7);
    expect(s.send('c')).toEqual(['SEND c']);
  });

  it('waits as long on the next connection', () => {
    const s = start({ deviceSendWindow: 1 });
    s.send('a');
    s.refuse('SEND', 3_000, 'a');
    s.later(1_000);
    expect(s.reconnect()).toEqual([]);
    expect(s.send('b')).toEqual(['wake send 2000']);
    s.later(2_000);
    expect(s.wake('send')).toEqual(['SEND a', 'wake send 5000']);
    expect(s.ack('a', 6)).toEqual(['SEND b']);
  });

  it('comes at once when the clock goes back: it would wait for hours', () => {
    const s = start();
    s.send('a');
    s.refuse('SEND', 1_000, 'a');
    s.later(-60_000);
    expect(s.wake('send')).toEqual(['SEND a', 'wake send 5000']);
  });
});

describe('what is on screen and what was read', () => {
  it('is said again as it is by then', () => {
    const s = start();
    s.step({ kind: 'open', chatId: C });
    expect(s.refuse('OPEN', 2_000)).toEqual(['wake refused 2000']);
    s.hear({
      frame: 'MESSAGE',
      serverMsgId: serverMsgId('m_6'),
      chatId: C,
      seq: 6,
      prev: 5,
      from: userId('u_2'),
      fromDevice: deviceId('d_2'),
      clientMsgId: undefined,
      ciphertext: 'AAAA',
      mediaIds: [],
      sentAt: micros(1),
    });
    expect(s.step({ kind: 'read', chatId: C })).toEqual(['DELIVERED', 'READ']);
    expect(s.refuse('RECEIPT', 2_000)).toEqual([]);
    s.step({ kind: 'close', chatId: C });
    expect(s.wake('refused')).toEqual(['CLOSE', 'READ']);
    expect(s.wake('refused')).toEqual([]);
  });

  it('is told to a new connection anyway', () => {
    const s = start();
    s.step({ kind: 'open', chatId: C });
    s.refuse('OPEN', 2_000);
    expect(s.reconnect()).toEqual(['OPEN']);
    expect(s.wake('refused')).toEqual([]);
  });
});

describe('a connection that was refused for its rate', () => {
  it('is tried again no earlier than the server asks', () => {
    const s = start();
    s.step({ kind: 'closed', conn: connId(1), code: 1006 });
    s.wake('reconnect');
    const about = { message: 'no', clientMsgId: undefined, chatId: undefined };
    s.hear({ frame: 'ERROR', code: 'rate_limited', retryAfterMs: 30_000, ...about });
    const [wake] = s.step({ kind: 'closed', conn: connId(2), code: 4006 });
    expect(Number(wake?.split(' ')[2])).toBeGreaterThanOrEqual(30_000);
    expect(Number(wake?.split(' ')[2])).toBeLessThan(31_000);
  });
});
