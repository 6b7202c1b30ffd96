import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chatId, clientMsgId, connId, deviceId, nodeId, serverMsgId, userId } from '../contract/ids.ts';
import { DEFAULT_LIMITS, type Limits } from '../contract/limits.ts';
import { micros, MILLISECOND, SECOND } from '../contract/time.ts';
import type { ClientFrame, ErrorCode, GoawayReason, MessageFrame, ServerFrame } from '../wire/frames.ts';
import { createDevice, stepDevice } from './device.ts';
import type { TransportChoice } from './transport.ts';
import { applyToDisk, type DeviceDisk, diskOf, emptyDisk, newDiskImage } from './device-disk.ts';
import type { DeviceEffect } from './device-effect.ts';
import type { DeviceEvent, DeviceTimer } from './device-event.ts';

// ---------------------------------------------------------------- effects as lines

function frameLine(f: ClientFrame): string {
  switch (f.frame) {
    case 'SEND':
      return `SEND ${f.clientMsgId}`;
    case 'RECEIPT':
      return `${f.type} ${f.chatId} ${f.serverMsgId}`;
    case 'RESUME':
      return ['RESUME', ...f.cursors.map(([chat, seq]) => `${chat} ${seq}`)].join(' ');
    case 'SYNC':
      return `SYNC ${f.chatId} after ${f.afterSeq}`;
    case 'PING':
    case 'PONG':
      return f.frame;
    case 'OPEN':
    case 'CLOSE':
    case 'TYPING':
      return `${f.frame} ${f.chatId}`;
  }
}

function line(effect: DeviceEffect): string {
  switch (effect.kind) {
    case 'connect':
      return `connect ${effect.conn}${effect.transport === 'poll' ? ' by poll' : ''}`;
    case 'disconnect':
      return `disconnect ${effect.conn} ${effect.code}`;
    case 'frame':
      return `${effect.conn} > ${frameLine(effect.frame)}`;
    case 'wake':
      return `wake ${effect.timer} in ${effect.after / MILLISECOND}`;
    case 'outbox-put':
      return `keep ${effect.item.clientMsgId}${effect.item.failed === undefined ? '' : ' as failed'}`;
    case 'outbox-drop':
      return `drop ${effect.clientMsgId}`;
    case 'cursor':
      return `cursor ${effect.chatId} ${effect.seq}`;
    case 'show':
      return `show ${effect.message.chatId} #${effect.message.seq} of ${effect.message.from}`;
    case 'sent':
      return `sent ${effect.clientMsgId} #${effect.seq}`;
    case 'send-failed':
      return `failed ${effect.clientMsgId} ${effect.code}`;
    case 'status':
      return effect.status;
    case 'synced':
    case 'receipt':
    case 'receipt-count':
    case 'presence':
    case 'typing':
      return effect.kind;
  }
}

// ---------------------------------------------------------------- the world around the device

const C = chatId('c_1');

function start(
  change: Partial<Limits> = {},
  disk: DeviceDisk = emptyDisk(),
  seed = 1,
  transport?: TransportChoice,
) {
  const device = createDevice({
    userId: userId('u_1'),
    deviceId: deviceId('d_1'),
    limits: { ...DEFAULT_LIMITS, ...change },
    seed,
    disk,
    ...(transport === undefined ? {} : { transport }),
  });
  const image = newDiskImage(userId('u_1'), disk);
  let now = 100 * SECOND;
  let conn = 1;
  /** Every effect of one event; the durable ones are on the disk before the next event. */
  const all = (event: DeviceEvent): string[] => {
    const effects = stepDevice(device, event, micros(now));
    for (const effect of effects) {
      applyToDisk(image, effect);
      if (effect.kind === 'connect') conn = effect.conn;
    }
    return effects.map(line);
  };
  /** The same without timers, which most scenarios are not about. */
  const step = (event: DeviceEvent): string[] => all(event).filter((l) => !l.startsWith('wake'));
  const hear = (frame: ServerFrame, from = conn) => step({ kind: 'frame', conn: connId(from), frame });
  const api = {
    device,
    all,
    step,
    hear,
    disk: () => diskOf(image),
    later: (ms: number) => (now += ms * MILLISECOND),
    wake: (timer: DeviceTimer) => all({ kind: 'wake', timer }),
    start: () => all({ kind: 'start' }),
    closed: () => all({ kind: 'closed', conn: connId(conn), code: 1006 }),
    /** `welcome('c_1 3')`: the server's cursor of c_1 is 3. */
    welcome: (...chats: string[]) =>
      hear({
        frame: 'WELCOME',
        deviceId: deviceId('d_1'),
        gatewayId: nodeId('gw-1'),
        region: 'eu',
        sessionEpoch: 1,
        heartbeatMs: 15_000,
        maxInFlight: 256,
        chats: chats.map((text) => {
          const [chat = '', cursor = ''] = text.split(' ');
          return { chatId: chatId(chat), head: 99, cursor: Number(cursor) };
        }),
      }),
    synced: () => hear({ frame: 'SYNCED', heads: [] }),
    /** Live, in c_1, having everything up to #5. */
    live: () => {
      api.start();
      api.welcome('c_1 5');
      api.synced();
      return api;
    },
    reconnect: () => {
      api.closed();
      api.wake('reconnect');
      return api;
    },
    send: (key: string, chat = C) =>
      step({ kind: 'send', clientMsgId: clientMsgId(key), chatId: chat, ciphertext: 'AAAA', mediaIds: [] }),
    ack: (key: string, seq: number, chat = C) =>
      hear({
        frame: 'ACK',
        clientMsgId: clientMsgId(key),
        chatId: chat,
        serverMsgId: serverMsgId(`m_${seq}`),
        seq,
        duplicate: false,
      }),
    error: (code: ErrorCode, key: string | undefined, retryAfterMs?: number) =>
      hear({
        frame: 'ERROR',
        code,
        message: 'no',
        retryAfterMs,
        clientMsgId: key === undefined ? undefined : clientMsgId(key),
        chatId: undefined,
      }),
    message: (seq: number, change: Partial<MessageFrame> = {}) =>
      hear({
        frame: 'MESSAGE',
        serverMsgId: serverMsgId(`m_${seq}`),
        chatId: C,
        seq,
        prev: seq - 1,
        from: userId('u_2'),
        fromDevice: deviceId('d_2'),
        clientMsgId: undefined,
        ciphertext: 'AAAA',
        mediaIds: [],
        sentAt: micros(1),
        ...change,
      }),
    goaway: (reason: GoawayReason, reconnectAfterMs = 750) => {
      const frame = { frame: 'GOAWAY', reason, reconnectAfterMs } as const;
      return all({ kind: 'frame', conn: connId(conn), frame });
    },
    read: () => step({ kind: 'read', chatId: C }),
  };
  return api;
}

/** The number at the end of `wake reconnect in 123.4`. */
const delayOf = (lines: readonly string[], timer: DeviceTimer = 'reconnect'): number =>
  Number(
    lines
      .find((l) => l.startsWith(`wake ${timer}`))
      ?.split(' ')
      .pop(),
  );

/** How long the next look at holes waits, when this one said SYNC. */
const pauseAfterSync = (lines: readonly string[]): number => {
  expect(lines[0]).toContain('> SYNC');
  return delayOf(lines, 'gap');
};

// ---------------------------------------------------------------- scenarios

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
    return { ...s, next, refused, pollLive };
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

  it('is a WebSocket again when nobody answers polls either', () => {
    const s = auto();
    s.start();
    const tried = ['connect 1'];
    while (tried.length < 7) {
      s.closed();
      tried.push(s.next());
    }
    const poll = ' by poll';
    expect(tried.map((each) => each.endsWith(poll))).toEqual([false, false, true, false, false, true, false]);
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

describe('the outbox', () => {
  it('keeps a send before it goes out, and drops it when the application was told', () => {
    const s = start().live();
    expect(s.send('k1')).toEqual(['keep k1', '1 > SEND k1']);
    expect(s.ack('k1', 6)).toEqual(['sent k1 #6', 'drop k1', 'show c_1 #6 of u_1']);
    expect(s.ack('k1', 6)).toEqual([]);
  });

  // A copy of a refused send became a message, since its sender was added again.
  it('asks for a message whose ACK comes when the send is gone', () => {
    const s = start().live();
    s.send('k1');
    s.error('not_a_member', 'k1');
    expect(s.ack('k1', 6)).toEqual([]);
    s.later(1_000);
    expect(s.wake('gap')).toContain('1 > SYNC c_1 after 5');
  });

  it('sends in order, from its disk, as soon as RESUME is said', () => {
    const s = start();
    s.send('k1');
    s.send('k2');
    expect(s.send('k1')).toEqual([]);
    s.start();
    expect(s.welcome('c_1 5')).toEqual([
      'cursor c_1 5',
      '1 > RESUME',
      'resuming',
      '1 > SEND k1',
      '1 > SEND k2',
    ]);
    const restarted = start({}, s.disk());
    restarted.start();
    expect(restarted.welcome().slice(-2)).toEqual(['1 > SEND k1', '1 > SEND k2']);
  });

  it('has a window, and a limit', () => {
    const s = start({ deviceSendWindow: 2, deviceOutbox: 3 }).live();
    expect([s.send('k1'), s.send('k2'), s.send('k3'), s.send('k4')]).toEqual([
      ['keep k1', '1 > SEND k1'],
      ['keep k2', '1 > SEND k2'],
      ['keep k3'],
      ['failed k4 overloaded'],
    ]);
    expect(s.ack('k1', 6)).toEqual(['sent k1 #6', 'drop k1', 'show c_1 #6 of u_1', '1 > SEND k3']);
  });

  it('sends again what is not answered, under the same clientMsgId, later each time', () => {
    const s = start().live();
    s.send('k1');
    const sent: number[] = [];
    for (let second = 1; second <= 100; second++) {
      s.later(1_000);
      if (s.wake('send').includes('1 > SEND k1')) sent.push(second);
    }
    // After 5, 10, 20 and then 30 seconds each.
    expect(sent).toEqual([5, 15, 35, 65, 95]);
    // A new connection has nothing to do with the patience that the old one needed.
    s.reconnect();
    s.welcome('c_1 5');
    s.later(5_000);
    expect(s.wake('send')[0]).toBe('2 > SEND k1');
  });

  it('sends everything again, in order, on a new connection', () => {
    const s = start({ deviceSendWindow: 2 }).live();
    for (const key of ['k1', 'k2', 'k3']) s.send(key);
    s.ack('k2', 6);
    s.reconnect();
    expect(s.welcome('c_1 6').slice(-2)).toEqual(['2 > SEND k1', '2 > SEND k3']);
    expect(s.device.outbox.inFlight).toBe(2);
  });

  it('waits as the server asks after an error that may pass', () => {
    const s = start().live();
    s.send('k1');
    expect(s.error('overloaded', 'k1', 8_000)).toEqual([]);
    s.later(7_999);
    expect(s.wake('send')).toEqual(['wake send in 5000']);
    s.later(1);
    expect(s.wake('send')[0]).toBe('1 > SEND k1');
  });

  it('gives up after one that does not', () => {
    const s = start().live();
    s.send('k1');
    expect(s.error('not_a_member', 'k1')).toEqual(['keep k1 as failed', 'failed k1 not_a_member', 'drop k1']);
    expect(s.error('not_a_member', 'k1')).toEqual([]);
    expect(s.error('bad_frame', undefined)).toEqual([]);
    expect(s.disk().outbox).toEqual([]);
  });

  // The app ended between hearing the refusal and telling its user: it tells him after the restart, and sends nothing.
  it('does not send again what was refused, and tells it once more', () => {
    const failed = { code: 'not_a_member', message: 'chatId: this user has left the chat' } as const;
    const item = {
      clientMsgId: clientMsgId('k1'),
      chatId: chatId('c_1'),
      ciphertext: 'AAAA',
      mediaIds: [],
      failed,
    };
    const s = start({}, { outbox: [item], cursors: [] });
    expect(s.start().slice(0, 2)).toEqual(['failed k1 not_a_member', 'drop k1']);
    expect(s.welcome().some((l) => l.includes('SEND'))).toBe(false);
  });

  // The ACK was lost with the connection; the replay brings the message itself.
  it('is settled by reading the own message back', () => {
    const s = start().live();
    s.send('k6');
    s.reconnect();
    s.welcome('c_1 5');
    const own = { from: userId('u_1'), fromDevice: deviceId('d_1'), clientMsgId: clientMsgId('k6') };
    expect(s.message(6, own)).toEqual(['sent k6 #6', 'drop k6', 'show c_1 #6 of u_1']);
    expect(s.ack('k6', 6)).toEqual([]);
    // Its place in the window is used at once.
    const narrow = start({ deviceSendWindow: 1 }).live();
    narrow.send('k6');
    narrow.send('k7');
    narrow.reconnect();
    narrow.welcome('c_1 5');
    expect(narrow.message(6, own).slice(-1)).toEqual(['show c_1 #6 of u_1']);
    expect(narrow.device.outbox.inFlight).toBe(1);
    // The same UUID made by another device of the user settles nothing.
    s.send('k7');
    expect(s.message(7, { ...own, fromDevice: deviceId('d_3'), clientMsgId: clientMsgId('k7') })).toEqual([
      'show c_1 #7 of u_1',
    ]);
    expect(s.disk().outbox).toHaveLength(1);
  });
});

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

describe('receipts', () => {
  it('are gathered for a while, or up to a number, and cost one frame a chat', () => {
    const s = start({ receiptBatch: 3 }).live();
    s.message(6);
    s.message(1, { chatId: chatId('c_2') });
    expect(s.message(7)).toEqual(['show c_1 #7 of u_2', '1 > DELIVERED c_1 m_7', '1 > DELIVERED c_2 m_1']);
    expect(s.wake('receipt')).toEqual([]);
    // Counted anew after each frame.
    s.message(8);
    expect(s.message(9)).toEqual(['show c_1 #9 of u_2']);
    expect(s.message(10)).toEqual(['show c_1 #10 of u_2', '1 > DELIVERED c_1 m_10']);
  });

  it('are not sent for what an earlier connection brought: RESUME says it', () => {
    const s = start().live();
    s.message(6);
    s.message(8);
    s.closed();
    expect(s.wake('receipt')).toEqual([]);
    s.wake('reconnect');
    expect(s.welcome('c_1 5')[0]).toBe('2 > RESUME c_1 6');
    expect(s.message(7)).toEqual(['show c_1 #7 of u_2', 'show c_1 #8 of u_2']);
    expect(s.wake('receipt')).toEqual(['2 > DELIVERED c_1 m_7']);
  });

  it('READ names the newest message of somebody else, after DELIVERED, once', () => {
    const s = start().live();
    expect(s.read()).toEqual([]);
    s.message(6);
    s.send('k7');
    s.ack('k7', 7);
    expect(s.read()).toEqual(['1 > DELIVERED c_1 m_6', '1 > READ c_1 m_6']);
    expect(s.read()).toEqual([]);
    s.message(8);
    expect(s.read()).toEqual(['1 > DELIVERED c_1 m_8', '1 > READ c_1 m_8']);
  });

  it('READ is said again after a reconnect: nothing tells whether it arrived', () => {
    const s = start().live();
    s.message(6);
    s.read();
    s.reconnect();
    s.welcome('c_1 6');
    expect(s.synced()).toEqual(['synced', 'live', '2 > READ c_1 m_6']);
    // Read while offline goes with the next connection.
    s.message(7);
    s.closed();
    expect(s.read()).toEqual([]);
    s.wake('reconnect');
    s.welcome('c_1 7');
    expect(s.synced()).toEqual(['synced', 'live', '3 > READ c_1 m_7']);
  });
});

describe('a chat whose home does not answer', () => {
  const HOME = chatId('c_2');
  /** Four sends into c_1, which is out of reach, fill the window; two into c_2 wait behind them. */
  const stuck = () => {
    const s = start({ deviceSendWindow: 4 }).live();
    for (const key of ['a1', 'a2', 'a3', 'a4', 'a5']) s.send(key);
    for (const key of ['b1', 'b2']) expect(s.send(key, HOME)).toEqual([`keep ${key}`]);
    s.later(DEFAULT_LIMITS.sendRetry / MILLISECOND);
    return s;
  };
  const sends = (lines: readonly string[]) => lines.filter((l) => l.includes('SEND'));

  it('keeps one send under way, and leaves the window to chats that answer', () => {
    const s = stuck();
    expect(sends(s.wake('send'))).toEqual(['1 > SEND a1', '1 > SEND b1', '1 > SEND b2']);
    expect(s.device.outbox.inFlight).toBe(2);
    s.ack('b1', 1, HOME);
    for (let n = 3; n < 40; n++) {
      expect(sends(s.send(`b${n}`, HOME))).toEqual([`1 > SEND b${n}`]);
      s.ack(`b${n - 1}`, n - 1, HOME);
    }
  });

  it('goes on in its order when its probe is answered', () => {
    const s = stuck();
    s.wake('send');
    expect(sends(s.ack('a1', 6))).toEqual(['1 > SEND a2', '1 > SEND a3']);
    expect(sends(s.ack('b1', 1, HOME))).toEqual(['1 > SEND a4']);
    // An answer to what was taken back and not sent again is as good as any.
    expect(sends(s.ack('b2', 2, HOME))).toEqual(['1 > SEND a5']);
    for (const [i, key] of ['a2', 'a3', 'a4', 'a5'].entries()) s.ack(key, 7 + i);
    expect([s.device.outbox.inFlight, s.device.outbox.stalled.size]).toEqual([0, 0]);
  });

  it('takes late answers to what it took back', () => {
    const s = stuck();
    s.wake('send');
    expect(sends(s.ack('a3', 8))).toEqual([]);
    expect(sends(s.ack('a2', 7))).toEqual([]);
    expect(sends(s.ack('a1', 6))).toEqual(['1 > SEND a4', '1 > SEND a5']);
    expect([s.device.outbox.inFlight, s.device.outbox.stalled.size]).toEqual([4, 0]);
  });

  it('has the whole window again on a new connection', () => {
    const s = stuck();
    s.wake('send');
    s.reconnect();
    expect(sends(s.welcome('c_1 5'))).toEqual(['a1', 'a2', 'a3', 'a4'].map((key) => `2 > SEND ${key}`));
    expect(s.device.outbox.stalled.size).toBe(0);
  });
});

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

describe('the disk', () => {
  // The application is killed at any point, and starts again from what was durable then.
  it('starts the next run where this one stood', () => {
    const s = start().live();
    s.message(6);
    s.message(8);
    s.send('k1');
    const disk = s.disk();
    expect(disk).toMatchObject({ outbox: [{ clientMsgId: 'k1' }], cursors: [[C, 6, 'm_6']] });
    const next = start({}, disk);
    next.start();
    expect(next.welcome('c_1 5')).toEqual(['1 > RESUME c_1 6', 'resuming', '1 > SEND k1']);
    expect(next.message(6)).toEqual([]);
    expect(next.message(7)).toEqual(['show c_1 #7 of u_2']);
    // What READ names is known across the restart.
    next.synced();
    expect(start({}, disk).live().read()).toEqual(['1 > READ c_1 m_6']);
  });

  it('keeps whom READ is to name when the newest message is an own one', () => {
    const s = start().live();
    s.message(6);
    s.send('k7');
    s.ack('k7', 7);
    expect(s.disk().cursors).toEqual([[C, 7, 'm_6']]);
    expect(s.disk().outbox).toEqual([]);
  });

  // The application was killed between the refusal and its telling: it is told at the next start, and nothing is sent.
  it('keeps a refusal that the application may not have heard of', () => {
    const item = { clientMsgId: clientMsgId('k1'), chatId: C, ciphertext: 'AAAA', mediaIds: [] };
    const failed = { code: 'not_a_member', message: 'no' } as const;
    const s = start(
      {},
      {
        outbox: [
          { ...item, failed },
          { ...item, clientMsgId: clientMsgId('k2') },
        ],
        cursors: [],
      },
    );
    expect(s.start().slice(0, 3)).toEqual(['failed k1 not_a_member', 'drop k1', 'connect 1']);
    expect(s.welcome()).toEqual(['1 > RESUME', 'resuming', '1 > SEND k2']);
    expect(s.disk().outbox.map((kept) => kept.clientMsgId)).toEqual(['k2']);
  });

  it('changes with durable effects only', () => {
    const image = newDiskImage(userId('u_1'), emptyDisk());
    const item = { clientMsgId: clientMsgId('k1'), chatId: C, ciphertext: '', mediaIds: [] };
    expect(applyToDisk(image, { kind: 'outbox-put', item })).toBe(true);
    expect(applyToDisk(image, { kind: 'outbox-drop', clientMsgId: item.clientMsgId })).toBe(true);
    expect(applyToDisk(image, { kind: 'outbox-drop', clientMsgId: item.clientMsgId })).toBe(false);
    expect(applyToDisk(image, { kind: 'cursor', chatId: C, seq: 4 })).toBe(true);
    expect(applyToDisk(image, { kind: 'synced' })).toBe(false);
    expect(diskOf(image)).toEqual({ outbox: [], cursors: [[C, 4, undefined]] });
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
