import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chatId, clientMsgId, deviceId, mediaId, nodeId, serverMsgId, userId } from '../contract/ids.ts';
import { micros } from '../contract/time.ts';
import { ERROR_RETRYABLE, type ErrorCode, type ServerFrame } from './frames.ts';
import { decodeServerFrame, encodeServerFrame } from './server-codec.ts';

const MAX = Number.MAX_SAFE_INTEGER;
const UUID = '0190a3c2-7b1d-7c3e-8f00-0123456789ab';
const NOON = '2024-02-29T12:00:00.000Z';
const AT_NOON = micros(1_709_208_000_000_000);

const MESSAGE = {
  frame: 'MESSAGE',
  serverMsgId: serverMsgId('m_88'),
  chatId: chatId('c_9'),
  seq: 5,
  prev: 4,
  from: userId('u_3'),
  fromDevice: deviceId('d_7'),
  clientMsgId: undefined,
  ciphertext: 'aGk=',
  mediaIds: [mediaId('x_12')],
  sentAt: AT_NOON,
} as const satisfies ServerFrame;

const ERROR = {
  frame: 'ERROR',
  code: 'overloaded',
  message: 'try again',
  retryAfterMs: 1_000,
  clientMsgId: clientMsgId(UUID),
  chatId: chatId('c_9'),
} as const satisfies ServerFrame;

/** Every kind of frame: what goes over the wire, to the letter, and what the machines see. */
const HAND_WRITTEN: readonly (readonly [string, ServerFrame])[] = [
  [
    '{"frame":"WELCOME","deviceId":"d_7","gatewayId":"gw-1","region":"eu","sessionEpoch":3,"heartbeatMs":15000,' +
      '"maxInFlight":256,"chats":[{"chatId":"c_9","head":5,"cursor":4}]}',
    {
      frame: 'WELCOME',
      deviceId: deviceId('d_7'),
      gatewayId: nodeId('gw-1'),
      region: 'eu',
      sessionEpoch: 3,
      heartbeatMs: 15_000,
      maxInFlight: 256,
      chats: [{ chatId: chatId('c_9'), head: 5, cursor: 4 }],
    },
  ],
  ['{"frame":"SYNCED","heads":{"c_9":5}}', { frame: 'SYNCED', heads: [[chatId('c_9'), 5]] }],
  [
    `{"frame":"ACK","clientMsgId":"${UUID}","chatId":"c_9","serverMsgId":"m_88","seq":5}`,
    {
      frame: 'ACK',
      clientMsgId: clientMsgId(UUID),
      chatId: chatId('c_9'),
      serverMsgId: serverMsgId('m_88'),
      seq: 5,
      sentAt: undefined,
      duplicate: false,
    },
  ],
  [
    `{"frame":"ACK","clientMsgId":"${UUID}","chatId":"c_9","serverMsgId":"m_88","seq":5,"sentAt":"${NOON}","duplicate":true}`,
    {
      frame: 'ACK',
      clientMsgId: clientMsgId(UUID),
      chatId: chatId('c_9'),
      serverMsgId: serverMsgId('m_88'),
      seq: 5,
      sentAt: AT_NOON,
      duplicate: true,
    },
  ],
  [
    '{"frame":"MESSAGE","serverMsgId":"m_88","chatId":"c_9","seq":5,"from":"u_3","fromDevice":"d_7",' +
      `"ciphertext":"aGk=","mediaIds":["x_12"],"sentAt":"${NOON}"}`,
    MESSAGE,
  ],
  [
    '{"frame":"MESSAGE","serverMsgId":"m_88","chatId":"c_9","seq":5,"from":"u_3","fromDevice":"d_7",' +
      `"clientMsgId":"${UUID}","ciphertext":"aGk=","mediaIds":["x_12"],"prev":2,"sentAt":"${NOON}"}`,
    { ...MESSAGE, prev: 2, clientMsgId: clientMsgId(UUID) },
  ],
  [
    `{"frame":"RECEIPT","chatId":"c_9","serverMsgId":"m_88","seq":5,"userId":"u_3","type":"READ","at":"${NOON}"}`,
    {
      frame: 'RECEIPT',
      chatId: chatId('c_9'),
      serverMsgId: serverMsgId('m_88'),
      seq: 5,
      userId: userId('u_3'),
      type: 'READ',
      at: AT_NOON,
    },
  ],
  [
    '{"frame":"PRESENCE","userId":"u_3","status":"ONLINE"}',
    { frame: 'PRESENCE', userId: userId('u_3'), status: 'ONLINE', lastSeen: undefined },
  ],
  [
    `{"frame":"PRESENCE","userId":"u_3","status":"OFFLINE","lastSeen":"${NOON}"}`,
    { frame: 'PRESENCE', userId: userId('u_3'), status: 'OFFLINE', lastSeen: AT_NOON },
  ],
  [
    '{"frame":"TYPING","chatId":"c_9","from":"u_3"}',
    { frame: 'TYPING', chatId: chatId('c_9'), from: userId('u_3') },
  ],
  ['{"frame":"SYNC_END","chatId":"c_9","head":5}', { frame: 'SYNC_END', chatId: chatId('c_9'), head: 5 }],
  ['{"frame":"PING","t":1}', { frame: 'PING', t: 1 }],
  ['{"frame":"PONG","t":1}', { frame: 'PONG', t: 1 }],
  [
    `{"frame":"ERROR","code":"overloaded","message":"try again","retryAfterMs":1000,"clientMsgId":"${UUID}",` +
      '"chatId":"c_9","retryable":true}',
    ERROR,
  ],
  [
    '{"frame":"ERROR","code":"bad_frame","message":"t: no","retryable":false}',
    {
      frame: 'ERROR',
      code: 'bad_frame',
      message: 't: no',
      retryAfterMs: undefined,
      clientMsgId: undefined,
      chatId: undefined,
    },
  ],
  [
    '{"frame":"GOAWAY","reason":"drain","reconnectAfterMs":750}',
    { frame: 'GOAWAY', reason: 'drain', reconnectAfterMs: 750 },
  ],
];

const id = (prefix: string) => fc.bigInt({ min: 0n, max: 2n ** 63n - 1n }).map((n) => `${prefix}_${n}`);
const chat = id('c').map(chatId);
const user = id('u').map(userId);
const message = id('m').map(serverMsgId);
const uuid = fc.uuid().map(clientMsgId);
const count = fc.integer({ min: 0, max: MAX });
const seq = fc.integer({ min: 1, max: MAX });
const at = fc.integer({ min: -2_000_000_000_000, max: 9_000_000_000_000 }).map((ms) => micros(ms * 1000));
const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });
const text = fc.string({ unit: 'binary' });
const codes = Object.keys(ERROR_RETRYABLE) as ErrorCode[];

const anyFrame: fc.Arbitrary<ServerFrame> = fc.oneof(
  fc.record({
    frame: fc.constant('WELCOME' as const),
    deviceId: id('d').map(deviceId),
    gatewayId: text.map(nodeId),
    region: text,
    sessionEpoch: count,
    heartbeatMs: seq,
    maxInFlight: seq,
    chats: fc.array(fc.record({ chatId: chat, head: count, cursor: count }), { maxLength: 5 }),
  }),
  fc.record({
    frame: fc.constant('SYNCED' as const),
    heads: fc.uniqueArray(fc.tuple(chat, count), { selector: ([c]) => c, maxLength: 5 }),
  }),
  fc.record({
    frame: fc.constant('ACK' as const),
    clientMsgId: uuid,
    chatId: chat,
    serverMsgId: message,
    seq,
    sentAt: maybe(at),
    duplicate: fc.boolean(),
  }),
  seq.chain((n) =>
    fc.record({
      frame: fc.constant('MESSAGE' as const),
      serverMsgId: message,
      chatId: chat,
      seq: fc.constant(n),
      prev: fc.oneof(fc.constant(n - 1), fc.integer({ min: 0, max: n - 1 })),
      from: user,
      fromDevice: id('d').map(deviceId),
      clientMsgId: maybe(uuid),
      ciphertext: fc.constantFrom('', 'AA==', 'AAA=', 'AAAA'),
      mediaIds: fc.array(id('x').map(mediaId), { maxLength: 4 }),
      sentAt: at,
    }),
  ),
  fc.record({
    frame: fc.constant('RECEIPT' as const),
    chatId: chat,
    serverMsgId: message,
    seq,
    userId: user,
    type: fc.constantFrom('DELIVERED' as const, 'READ' as const),
    at,
  }),
  fc.record({
    frame: fc.constant('PRESENCE' as const),
    userId: user,
    status: fc.constantFrom('ONLINE' as const, 'OFFLINE' as const),
    lastSeen: maybe(at),
  }),
  fc.record({ frame: fc.constant('TYPING' as const), chatId: chat, from: user }),
  fc.record({ frame: fc.constant('SYNC_END' as const), chatId: chat, head: count }),
  fc.record({ frame: fc.constantFrom('PING' as const, 'PONG' as const), t: count }),
  fc.record({
    frame: fc.constant('ERROR' as const),
    code: fc.constantFrom(...codes),
    message: text,
    retryAfterMs: maybe(count),
    clientMsgId: maybe(uuid),
    chatId: maybe(chat),
  }),
  fc.record({
    frame: fc.constant('GOAWAY' as const),
    reason: fc.constantFrom('drain', 'replaced', 'slow_consumer', 'auth_expired'),
    reconnectAfterMs: count,
  }),
);

describe('frames of a gateway', () => {
  it.each(HAND_WRITTEN)('are written and read as the protocol says: %s', (text, frame) => {
    expect(encodeServerFrame(frame)).toBe(text);
    expect(decodeServerFrame(text)).toEqual({ ok: true, frame });
  });

  it('come back from the wire as they were', () => {
    fc.assert(
      fc.property(anyFrame, (frame) => {
        expect(decodeServerFrame(encodeServerFrame(frame))).toEqual({ ok: true, frame });
      }),
      { numRuns: 500 },
    );
  });

  it('say of every error whether a retry can help', () => {
    for (const code of codes) {
      const wire: unknown = JSON.parse(encodeServerFrame({ ...ERROR, code }));
      expect(wire).toMatchObject({ code, retryable: ERROR_RETRYABLE[code] });
    }
  });

  it('of a newer server are understood as far as they can be', () => {
    const error = (code: string, retryable: boolean) =>
      decodeServerFrame(JSON.stringify({ ...ERROR, code, retryable }));
    expect(error('quota_spent', true)).toMatchObject({ ok: true, frame: { code: 'internal' } });
    expect(error('quota_spent', false)).toMatchObject({ ok: true, frame: { code: 'bad_frame' } });
    expect(error('toString', true)).toMatchObject({ ok: true, frame: { code: 'internal' } });
    expect(decodeServerFrame('{"frame":"REACTION","chatId":"c_9"}')).toEqual({
      ok: false,
      code: 'bad_frame',
      message: 'frame: is not known to this version',
    });
    const grown = '{"frame":"TYPING","chatId":"c_9","from":"u_3","since":"now"}';
    expect(decodeServerFrame(grown)).toEqual({ ok: true, frame: HAND_WRITTEN[9]?.[1] });
  });

  it.each([
    ['seq', { seq: 0 }],
    ['seq', { seq: 1.5 }],
    ['seq', { seq: undefined }],
    ['prev', { prev: 5 }],
    ['prev', { prev: -1 }],
    ['prev', { prev: null }],
    ['serverMsgId', { serverMsgId: 'm_9223372036854775808' }],
    ['chatId', { chatId: 'u_9' }],
    ['from', { from: 'd_3' }],
    ['fromDevice', { fromDevice: 'u_3' }],
    ['clientMsgId', { clientMsgId: null }],
    ['ciphertext', { ciphertext: 'A' }],
    ['mediaIds', { mediaIds: [7] }],
    ['sentAt', { sentAt: 'yesterday' }],
    ['sentAt', { sentAt: AT_NOON }],
  ])('are refused by the name of the field: %s of a MESSAGE %j', (field, change) => {
    const wire = { ...MESSAGE, sentAt: NOON, prev: undefined, ...change };
    expect(decodeServerFrame(JSON.stringify(wire))).toEqual({
      ok: false,
      code: 'bad_frame',
      message: expect.stringMatching(new RegExp(`^${field}: `)) as unknown,
    });
  });

  it.each([
    ['chats', '{"frame":"WELCOME","chats":{}}'],
    ['chats', `${HAND_WRITTEN[0]?.[0].replace(/"chats":.*/, '"chats":[null]}')}`],
    ['heartbeatMs', `${HAND_WRITTEN[0]?.[0].replace('15000', '0')}`],
    ['duplicate', `${HAND_WRITTEN[3]?.[0].replace('true', '1')}`],
    ['heads', '{"frame":"SYNCED","heads":[5]}'],
    ['heads.c_9', '{"frame":"SYNCED","heads":{"c_9":null}}'],
    ['status', '{"frame":"PRESENCE","userId":"u_3","status":"AWAY"}'],
    ['lastSeen', '{"frame":"PRESENCE","userId":"u_3","status":"OFFLINE","lastSeen":0}'],
    ['reason', '{"frame":"GOAWAY","reason":"why not","reconnectAfterMs":1}'],
    ['head', '{"frame":"SYNC_END","chatId":"c_9","head":-1}'],
    ['code', '{"frame":"ERROR","message":""}'],
  ])('are refused by the name of the field: %s of %s', (field, text) => {
    expect(decodeServerFrame(text)).toMatchObject({
      ok: false,
      message: expect.stringMatching(new RegExp(`^${field.replace('.', '\\.')}: `)) as unknown,
    });
  });

  it('never make the device throw, whatever the bytes', () => {
    fc.assert(fc.property(text, (any) => void decodeServerFrame(any)));
    fc.assert(
      fc.property(anyFrame, fc.jsonValue(), fc.nat(), (frame, value, which) => {
        const wire = JSON.parse(encodeServerFrame(frame)) as Record<string, unknown>;
        const names = Object.keys(wire);
        const name = names[which % names.length] ?? '';
        const decoded = decodeServerFrame(JSON.stringify({ ...wire, [name]: value }));
        if (!decoded.ok) expect(decoded.message).toMatch(new RegExp(`^(${name}|prev|c_|chatId|head|cursor)`));
        else expect(decodeServerFrame(encodeServerFrame(decoded.frame))).toEqual(decoded);
      }),
      { numRuns: 1_000 },
    );
  });
});
