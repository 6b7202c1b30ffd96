import { describe, expect, it } from 'vitest';
import { clientMsgId, connId, deviceId, nodeId, serverMsgId, userId } from '../contract/ids.ts';
import { micros } from '../contract/time.ts';
import type { ServerFrame } from '../wire/frames.ts';
import type { DeviceEvent } from './device-event.ts';
import { C, start } from './testing/device-under-test.ts';

describe('what is on screen', () => {
  it('is told to each connection; what nobody hears is not kept', () => {
    const s = start().live();
    expect(s.step({ kind: 'open', chatId: C })).toEqual(['1 > OPEN c_1']);
    expect(s.step({ kind: 'typing', chatId: C })).toEqual(['1 > TYPING c_1']);
    s.closed();
    expect(s.step({ kind: 'typing', chatId: C })).toEqual([]);
    s.wake('reconnect');
    s.welcome('c_1 5');
    expect(s.synced()).toEqual(['synced', 'live', '2 > OPEN c_1']);
    expect(s.step({ kind: 'close', chatId: C })).toEqual(['2 > CLOSE c_1']);
    s.reconnect();
    s.welcome('c_1 5');
    expect(s.synced()).toEqual(['synced', 'live']);
  });
});

describe('timers', () => {
  it('are asked for once, when there is something to wait for', () => {
    const s = start();
    s.start();
    const frame = (frame: ServerFrame) => s.all({ kind: 'frame', conn: connId(1), frame });
    const message = (seq: number): ServerFrame => ({
      frame: 'MESSAGE',
      serverMsgId: serverMsgId(`m_${seq}`),
      chatId: C,
      seq,
      prev: seq - 1,
      from: userId('u_2'),
      fromDevice: deviceId('d_2'),
      clientMsgId: undefined,
      ciphertext: '',
      mediaIds: [],
      sentAt: micros(1),
    });
    const send = (key: string): DeviceEvent => ({
      kind: 'send',
      clientMsgId: clientMsgId(key),
      chatId: C,
      ciphertext: '',
      mediaIds: [],
    });
    expect(
      frame({
        frame: 'WELCOME',
        deviceId: deviceId('d_1'),
        gatewayId: nodeId('gw-1'),
        region: 'eu',
        sessionEpoch: 1,
        heartbeatMs: 7_000,
        maxInFlight: 1,
        chats: [],
      }),
    ).toContain('wake heartbeat in 7000');
    expect(s.all(send('k1'))).toEqual(['keep k1', '1 > SEND k1', 'wake send in 5000']);
    expect(s.all(send('k2'))).toEqual(['keep k2', '1 > SEND k2']);
    expect(frame(message(1))).toEqual(['show c_1 #1 of u_2', 'wake receipt in 20']);
    expect(frame(message(2))).toEqual(['show c_1 #2 of u_2']);
    expect(frame(message(4))).toEqual(['wake gap in 1000']);
    expect(frame(message(6))).toEqual([]);
    s.wake('receipt');
    s.wake('gap');
    expect(frame(message(3))).toEqual(['show c_1 #3 of u_2', 'wake receipt in 20', 'show c_1 #4 of u_2']);
    // Nothing in flight any more: the timer runs out and is not asked for again.
    frame({
      frame: 'ERROR',
      code: 'too_large',
      message: '',
      retryAfterMs: undefined,
      clientMsgId: clientMsgId('k1'),
      chatId: C,
    });
    frame({
      frame: 'ERROR',
      code: 'too_large',
      message: '',
      retryAfterMs: undefined,
      clientMsgId: clientMsgId('k2'),
      chatId: C,
    });
    expect(s.wake('send')).toEqual([]);
    expect(s.all(send('k3'))).toEqual(['keep k3', '1 > SEND k3', 'wake send in 5000']);
  });
});
