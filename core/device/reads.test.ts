import { expect, it } from 'vitest';
import { chatId, connId, deviceId, nodeId, serverMsgId, userId } from '../contract/ids.ts';
import { DEFAULT_LIMITS, type Limits } from '../contract/limits.ts';
import { micros, SECOND } from '../contract/time.ts';
import type { ErrorFrame, ServerFrame } from '../wire/frames.ts';
import { createDevice, stepDevice } from './device.ts';
import type { DeviceEvent } from './device-event.ts';

/** A device that has all of so many chats, each with a message of somebody else to read. */
function start(chats: number, change: Partial<Limits> = {}) {
  const ids = Array.from({ length: chats }, (_, i) => chatId(`c_${i + 1}`));
  const device = createDevice({
    userId: userId('u_1'),
    deviceId: deviceId('d_1'),
    limits: { ...DEFAULT_LIMITS, ...change },
    seed: 1,
    disk: { outbox: [], cursors: ids.map((id) => [id, 5, serverMsgId('m_5')]) },
  });
  let now = 100 * SECOND;
  let conn = 0;
  let pinged = 0;
  let delay = 0;
  /** @returns the chats of the READs. */
  const step = (event: DeviceEvent): string[] => {
    const said: string[] = [];
    for (const effect of stepDevice(device, event, micros(now))) {
      if (effect.kind === 'connect') conn = effect.conn;
      if (effect.kind === 'wake' && effect.timer === 'reconnect') delay = effect.after;
      if (effect.kind !== 'frame') continue;
      if (effect.frame.frame === 'PING') pinged = effect.frame.t;
      if (effect.frame.frame === 'RECEIPT') said.push(effect.frame.chatId);
    }
    return said;
  };
  const hear = (frame: ServerFrame) => step({ kind: 'frame', conn: connId(conn), frame });
  const api = {
    read: (id = 'c_1') => step({ kind: 'read', chatId: chatId(id) }),
    /** A new connection, whose WELCOME lists these. */
    connect: (listed: readonly string[] = ids) => {
      step({ kind: conn === 0 ? 'start' : 'wake', timer: 'reconnect' });
      return hear({
        frame: 'WELCOME',
        deviceId: deviceId('d_1'),
        gatewayId: nodeId('gw-1'),
        region: 'eu',
        sessionEpoch: 1,
        heartbeatMs: 15_000,
        maxInFlight: 256,
        chats: listed.map((id) => ({ chatId: chatId(id), head: 5, cursor: 5 })),
      });
    },
    synced: () => hear({ frame: 'SYNCED', heads: [] }),
    beat: () => {
      now += 15 * SECOND;
      return step({ kind: 'wake', timer: 'heartbeat' });
    },
    pong: () => hear({ frame: 'PONG', t: pinged }),
    close: (code = 1006) => step({ kind: 'closed', conn: connId(conn), code }),
    refuse: (id: string) => {
      const error: ErrorFrame = {
        frame: 'ERROR',
        code: 'rate_limited',
        message: 'no',
        retryAfterMs: 1_000,
        clientMsgId: undefined,
        chatId: chatId(id),
        refusedFrame: 'RECEIPT',
      };
      return hear(error);
    },
    again: (listed: readonly string[] = ids) => {
      api.close();
      api.connect(listed);
      return api.synced();
    },
    /** How long until the next attempt. */
    delay: () => delay,
  };
  return api;
}

/** Live, having read all chats. */
function reader(chats: number, change: Partial<Limits> = {}) {
  const s = start(chats, change);
  s.connect();
  s.synced();
  for (let i = 1; i <= chats; i++) s.read(`c_${i}`);
  return s;
}

it('READs are said again in pages, one for each heartbeat; what was never said comes first', () => {
  const s = reader(5, { readPage: 2 });
  expect(s.again()).toEqual(['c_1', 'c_2']);
  expect(s.beat()).toEqual(['c_3', 'c_4']);
  expect(s.beat()).toEqual(['c_5']);
  expect(s.beat()).toEqual([]);
  const late = start(3, { readPage: 2 });
  late.connect();
  late.synced();
  late.read('c_1');
  late.close();
  late.read('c_3');
  late.connect();
  expect(late.synced()).toEqual(['c_3', 'c_1']);
});

it('a READ that a second connection has carried for certain is not said any more', () => {
  const s = reader(2);
  expect(s.again()).toEqual(['c_1', 'c_2']);
  // It broke before it answered: perhaps it carried nothing.
  s.beat();
  expect(s.again()).toEqual(['c_1', 'c_2']);
  s.beat();
  s.pong();
  expect(s.again()).toEqual([]);
  expect(s.read('c_1')).toEqual([]);
});

it('a READ is said again while the shard of its chat does not answer', () => {
  const s = reader(2);
  expect(s.again(['c_2'])).toEqual(['c_1', 'c_2']);
  s.beat();
  s.pong();
  expect(s.again()).toEqual(['c_1']);
});

it('a READ that was refused for its rate has not arrived', () => {
  const s = reader(1);
  expect(s.again()).toEqual(['c_1']);
  s.refuse('c_1');
  s.beat();
  s.pong();
  expect(s.again()).toEqual(['c_1']);
});

it('the answer to a PING before SYNCED says nothing of the READs that follow it', () => {
  const s = reader(1);
  s.close();
  s.connect();
  s.beat();
  expect(s.synced()).toEqual(['c_1']);
  s.pong();
  expect(s.again()).toEqual(['c_1']);
});

it('who is closed for abuse right after SYNCED waits longer each time, until a session lasts', () => {
  const s = start(1);
  const delayAfter = (times: number): number => {
    for (let i = 0; i < times; i++) {
      s.connect();
      s.synced();
      s.close(4008);
    }
    return s.delay();
  };
  const base = DEFAULT_LIMITS.reconnectBase;
  expect(delayAfter(1)).toBeLessThan(2 * base);
  expect(delayAfter(11)).toBeGreaterThan(2 * base);
  s.connect();
  s.synced();
  s.beat();
  s.close(4008);
  expect(s.delay()).toBeLessThan(2 * base);
});
