import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chatId, clientMsgId, mediaId, serverMsgId } from '../contract/ids.ts';
import { DEFAULT_LIMITS } from '../contract/limits.ts';
import { decodeClientFrame, encodeClientFrame } from './client-codec.ts';
import type { ClientFrame } from './frames.ts';

const MAX = Number.MAX_SAFE_INTEGER;
const UUID = '0190a3c2-7b1d-7c3e-8f00-0123456789ab';
const decode = (text: string) => decodeClientFrame(text, DEFAULT_LIMITS);

/** Every kind of frame, as PROTOCOL writes it. */
const HAND_WRITTEN: readonly (readonly [string, ClientFrame])[] = [
  [
    `{"frame":"SEND","clientMsgId":"${UUID}","chatId":"c_9","ciphertext":"aGk=","mediaIds":["x_12"]}`,
    {
      frame: 'SEND',
      clientMsgId: clientMsgId(UUID),
      chatId: chatId('c_9'),
      ciphertext: 'aGk=',
      mediaIds: [mediaId('x_12')],
    },
  ],
  [
    '{"frame":"RECEIPT","chatId":"c_9","serverMsgId":"m_88","type":"READ"}',
    { frame: 'RECEIPT', chatId: chatId('c_9'), serverMsgId: serverMsgId('m_88'), type: 'READ' },
  ],
  [
    '{"frame":"RECEIPT","chatId":"c_9","serverMsgId":"m_88","type":"DELIVERED"}',
    { frame: 'RECEIPT', chatId: chatId('c_9'), serverMsgId: serverMsgId('m_88'), type: 'DELIVERED' },
  ],
  [
    '{"frame":"RESUME","cursors":{"c_9":4011,"c_10":0}}',
    {
      frame: 'RESUME',
      cursors: [
        [chatId('c_9'), 4011],
        [chatId('c_10'), 0],
      ],
    },
  ],
  ['{"frame":"RESUME","cursors":{}}', { frame: 'RESUME', cursors: [] }],
  ['{"frame":"OPEN","chatId":"c_0"}', { frame: 'OPEN', chatId: chatId('c_0') }],
  ['{"frame":"CLOSE","chatId":"c_0"}', { frame: 'CLOSE', chatId: chatId('c_0') }],
  ['{"frame":"TYPING","chatId":"c_0"}', { frame: 'TYPING', chatId: chatId('c_0') }],
  [
    '{"frame":"SYNC","chatId":"c_9","afterSeq":0,"limit":256}',
    { frame: 'SYNC', chatId: chatId('c_9'), afterSeq: 0, limit: 256 },
  ],
  [`{"frame":"PING","t":${MAX}}`, { frame: 'PING', t: MAX }],
  ['{"frame":"PONG","t":0}', { frame: 'PONG', t: 0 }],
];

const id = (prefix: string) => fc.bigInt({ min: 0n, max: 2n ** 63n - 1n }).map((n) => `${prefix}_${n}`);
const chat = id('c').map(chatId);
const base64 = fc.uint8Array({ maxLength: 64 }).map((bytes) => {
  const digits = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
  let text = '';
  for (let i = 0; i < bytes.length; i += 3) {
    const [a = 0, b, c] = bytes.slice(i, i + 3);
    const word = a * 65_536 + (b ?? 0) * 256 + (c ?? 0);
    const at = (place: number): string => digits.charAt(Math.floor(word / place) % 64);
    text += at(262_144) + at(4_096) + (b === undefined ? '=' : at(64)) + (c === undefined ? '=' : at(1));
  }
  return text;
});
const upTo = (max: number) => fc.integer({ min: 0, max });

const anyFrame: fc.Arbitrary<ClientFrame> = fc.oneof(
  fc.record({
    frame: fc.constant('SEND' as const),
    clientMsgId: fc.uuid().map(clientMsgId),
    chatId: chat,
    ciphertext: base64,
    mediaIds: fc.array(id('x').map(mediaId), { maxLength: DEFAULT_LIMITS.mediaPerMessage }),
  }),
  fc.record({
    frame: fc.constant('RECEIPT' as const),
    chatId: chat,
    serverMsgId: id('m').map(serverMsgId),
    type: fc.constantFrom('DELIVERED' as const, 'READ' as const),
  }),
  fc.record({
    frame: fc.constant('RESUME' as const),
    cursors: fc.uniqueArray(fc.tuple(chat, upTo(MAX)), { selector: ([c]) => c, maxLength: 8 }),
  }),
  fc.record({ frame: fc.constantFrom('OPEN' as const, 'CLOSE' as const, 'TYPING' as const), chatId: chat }),
  fc.record({
    frame: fc.constant('SYNC' as const),
    chatId: chat,
    afterSeq: upTo(MAX),
    limit: fc.integer({ min: 1, max: DEFAULT_LIMITS.syncPage }),
  }),
  fc.record({ frame: fc.constantFrom('PING' as const, 'PONG' as const), t: upTo(MAX) }),
);

describe('frames of a device', () => {
  it.each(HAND_WRITTEN)('are read and written as the protocol says: %s', (text, frame) => {
    expect(decode(text)).toEqual({ ok: true, frame });
    expect(encodeClientFrame(frame)).toBe(text);
  });

  it('come back from the wire as they were', () => {
    fc.assert(
      fc.property(anyFrame, (frame) => {
        expect(decode(encodeClientFrame(frame))).toEqual({ ok: true, frame });
      }),
    );
  });

  it('may leave out mediaIds and the limit of SYNC, and carry fields of a newer version', () => {
    const send = `{"frame":"SEND","clientMsgId":"${UUID}","chatId":"c_9","ciphertext":"","reactionTo":"m_3"}`;
    expect(decode(send)).toMatchObject({ ok: true, frame: { ciphertext: '', mediaIds: [] } });
    const sync = '{"frame":"SYNC","chatId":"c_9","afterSeq":7,"order":"newest"}';
    expect(decode(sync)).toEqual({
      ok: true,
      frame: { frame: 'SYNC', chatId: 'c_9', afterSeq: 7, limit: DEFAULT_LIMITS.syncPage },
    });
  });

  it('have their clientMsgId compared without case', () => {
    const text = HAND_WRITTEN[0]?.[0] ?? '';
    expect(decode(text.replace(UUID, UUID.toUpperCase()))).toMatchObject({ frame: { clientMsgId: UUID } });
  });
});

/** `{ "ok": false }` with a message that begins with this field. */
const refusal = (field: string, code = 'bad_frame') => ({
  ok: false,
  code,
  message: expect.stringMatching(new RegExp(`^${field.replaceAll('.', '\\.')}: `)) as unknown,
});
const send = (fields: Record<string, unknown>): string =>
  JSON.stringify({
    frame: 'SEND',
    clientMsgId: UUID,
    chatId: 'c_9',
    ciphertext: '',
    mediaIds: [],
    ...fields,
  });
const asJson = (frame: string, fields: string): string => `{"frame":"${frame}",${fields}}`;

describe('a refusal', () => {
  it.each([
    ['frame', '{}'],
    ['frame', '{"frame":7}'],
    ['frame', '{"frame":"send"}'],
    ['frame', '{"frame":"toString"}'],
    ['frame', '{"frame":"ACK","chatId":"c_9"}'],
    ['frame', '{"__proto__":{"frame":"PING","t":1}}'],
    ['clientMsgId', send({ clientMsgId: 'not a UUID' })],
    ['clientMsgId', send({ clientMsgId: `${UUID}\n` })],
    ['clientMsgId', send({ clientMsgId: undefined })],
    ['chatId', send({ chatId: 'c_' })],
    ['chatId', send({ chatId: 'C_9' })],
    ['chatId', send({ chatId: 'm_9' })],
    ['chatId', send({ chatId: 'c_-9' })],
    ['chatId', send({ chatId: 'c_1e3' })],
    ['chatId', send({ chatId: 'c_9\n' })],
    ['chatId', send({ chatId: 'c_٣' })],
    ['chatId', send({ chatId: 9 })],
    ['chatId', send({ chatId: ['c_9'] })],
    ['ciphertext', send({ ciphertext: null })],
    ['mediaIds', send({ mediaIds: 'x_1' })],
    ['mediaIds', send({ mediaIds: ['x_1', 'm_1'] })],
    ['mediaIds', send({ mediaIds: { length: 1, 0: 'x_1' } })],
    ['mediaIds', send({ mediaIds: null })],
    ['serverMsgId', asJson('RECEIPT', '"chatId":"c_9","serverMsgId":"88","type":"READ"')],
    ['type', asJson('RECEIPT', '"chatId":"c_9","serverMsgId":"m_88","type":"SEEN"')],
    ['type', asJson('RECEIPT', '"chatId":"c_9","serverMsgId":"m_88","type":["READ"]')],
    ['cursors', asJson('RESUME', '"cursors":[]')],
    ['cursors', asJson('RESUME', '"cursors":null')],
    ['cursors', asJson('RESUME', '"cursors":{"9":1}')],
    ['cursors', asJson('RESUME', '"cursors":{"__proto__":1}')],
    ['cursors.c_9', asJson('RESUME', '"cursors":{"c_9":-1}')],
    ['cursors.c_9', asJson('RESUME', '"cursors":{"c_9":1.5}')],
    ['cursors.c_9', asJson('RESUME', '"cursors":{"c_9":9007199254740993}')],
    ['cursors.c_9', asJson('RESUME', '"cursors":{"c_9":"1"}')],
    ['afterSeq', asJson('SYNC', '"chatId":"c_9","afterSeq":-1,"limit":1')],
    ['afterSeq', asJson('SYNC', '"chatId":"c_9","afterSeq":1e400,"limit":1')],
    ['limit', asJson('SYNC', '"chatId":"c_9","afterSeq":0,"limit":0')],
    ['limit', asJson('SYNC', '"chatId":"c_9","afterSeq":0,"limit":257')],
    ['t', asJson('PING', '"t":0.5')],
    ['t', asJson('PONG', '"t":true')],
  ])('names the field %s: %s', (field, text) => {
    expect(decode(text)).toMatchObject(refusal(field));
  });

  it('says so when there is no object at all', () => {
    for (const text of ['', ' ', '{', 'PING', '{"frame":"PING","t":1}x', '\u0000', '\ud800'])
      expect(decode(text)).toEqual({ ok: false, code: 'bad_frame', message: 'the frame is not JSON' });
    for (const text of ['null', '[]', '7', '"PING"', '[{"frame":"PING","t":1}]'])
      expect(decode(text)).toMatchObject({ ok: false, message: 'the frame must be one JSON object' });
  });

  it('draws the line of an id at 63 bits, and takes no second spelling of a number', () => {
    for (const text of ['0', '1', '9223372036854775807', '999999999999999999'])
      expect(decode(send({ chatId: `c_${text}` }))).toMatchObject({ ok: true });
    for (const text of ['9223372036854775808', '9999999999999999999', '10000000000000000000', '00', '07'])
      expect(decode(send({ chatId: `c_${text}` }))).toMatchObject(refusal('chatId'));
  });

  it('takes base64 with its padding only', () => {
    for (const good of ['', 'AAAA', 'AAA=', 'AA==', '+/+/'])
      expect(decode(send({ ciphertext: good }))).toMatchObject({ ok: true, frame: { ciphertext: good } });
    for (const bad of ['A', 'AA', 'AAA', 'A===', '====', 'AA=A', 'AA==AA==', 'AA-_', 'AA A', 'AAA\n', 'ÄAAA'])
      expect(decode(send({ ciphertext: bad }))).toMatchObject(refusal('ciphertext'));
  });

  it('takes one text only for the same bytes: the one that comes back when they are encoded again', () => {
    const digits = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'.split('');
    const text = fc
      .tuple(
        fc.array(fc.constantFrom(...digits), { minLength: 2, maxLength: 4 }),
        fc.array(fc.constantFrom(...digits), { maxLength: 4 }),
      )
      .map(([last, before]) => {
        const start = before.length === 4 ? before.join('') : '';
        return start + last.join('').padEnd(4, '=');
      });
    fc.assert(
      fc.property(text, (ciphertext) => {
        const canonical = Buffer.from(ciphertext, 'base64').toString('base64') === ciphertext;
        const decoded = decode(send({ ciphertext }));
        if (canonical) expect(decoded).toMatchObject({ ok: true, frame: { ciphertext } });
        else expect(decoded).toMatchObject(refusal('ciphertext'));
      }),
    );
    expect(decode(send({ ciphertext: 'AB==' }))).toMatchObject(refusal('ciphertext'));
    expect(decode(send({ ciphertext: 'AAB=' }))).toMatchObject(refusal('ciphertext'));
  });

  it('draws the line of a ciphertext at 65,536 bytes', () => {
    // 65,535 bytes are 21,845 groups of three.
    const groups = 'AAAA'.repeat(21_845);
    expect(decode(send({ ciphertext: `${groups}AA==` }))).toMatchObject({ ok: true });
    expect(decode(send({ ciphertext: `${groups}AAA=` }))).toMatchObject(refusal('ciphertext', 'too_large'));
    expect(decode(send({ ciphertext: `${groups}AAAA` }))).toMatchObject(refusal('ciphertext', 'too_large'));
    expect(decode(send({ ciphertext: `${groups}AAAAAA==` }))).toMatchObject(
      refusal('ciphertext', 'too_large'),
    );
  });

  it('names the send that it answers, so that its device gives it up', () => {
    expect(decode(send({ ciphertext: '?' }))).toMatchObject({ ok: false, clientMsgId: UUID });
    expect(decode(send({ mediaIds: 7, clientMsgId: UUID.toUpperCase() }))).toMatchObject({
      clientMsgId: UUID,
    });
    expect(decode(send({ clientMsgId: 'k1' }))).not.toHaveProperty('clientMsgId', expect.any(String));
    expect(decode(asJson('OPEN', `"clientMsgId":"${UUID}"`))).not.toHaveProperty('clientMsgId', UUID);
  });

  it('counts media and cursors', () => {
    const media = (n: number) => Array.from({ length: n }, (_, i) => `x_${i}`);
    expect(decode(send({ mediaIds: media(16) }))).toMatchObject({ ok: true });
    expect(decode(send({ mediaIds: media(17) }))).toMatchObject(refusal('mediaIds', 'too_large'));
    const resume = (n: number) =>
      JSON.stringify({
        frame: 'RESUME',
        cursors: Object.fromEntries(Array.from({ length: n }, (_, i) => [`c_${i}`, i])),
      });
    const limits = { ...DEFAULT_LIMITS, chatsPerDevice: 3 };
    expect(decodeClientFrame(resume(3), limits)).toMatchObject({ ok: true });
    expect(decodeClientFrame(resume(4), limits)).toMatchObject(refusal('cursors', 'too_large'));
  });
});

/** Whatever comes in, a value comes out; and a frame that was taken is one that would be taken again. */
function survives(text: string): boolean {
  const decoded = decode(text);
  if (!decoded.ok) {
    expect(decoded.message).toMatch(/^(the frame |[a-zA-Z]+(\.c_\d+)?: )/);
    return false;
  }
  expect(decode(encodeClientFrame(decoded.frame))).toEqual({ ok: true, frame: decoded.frame });
  return true;
}

describe('hostile input never gets past the codec', () => {
  it('as text of any kind', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => void survives(text)));
    fc.assert(fc.property(fc.string({ unit: 'grapheme' }), (text) => void survives(`{"frame":"${text}"}`)));
  });

  it('as JSON of any shape, under any name', () => {
    const names = fc.constantFrom('SEND', 'RECEIPT', 'RESUME', 'OPEN', 'SYNC', 'PING', '__proto__');
    fc.assert(
      fc.property(names, fc.jsonValue({ stringUnit: 'binary' }), (frame, value) => {
        survives(JSON.stringify(value));
        const fields = [
          'chatId',
          'cursors',
          'clientMsgId',
          'mediaIds',
          't',
          'afterSeq',
          'limit',
          'ciphertext',
        ];
        for (const field of fields) survives(JSON.stringify({ frame, chatId: 'c_1', [field]: value }));
        survives(JSON.stringify({ frame, cursors: { c_1: value } }));
        survives(JSON.stringify(Object.assign({ frame }, value)));
      }),
    );
  });

  it('as a good frame with some characters changed, and some of those are good frames still', () => {
    const junk = fc.oneof(
      fc.constantFrom('"', '\\', '{', '}', '0', '-', 'e', '\u0000', '\ud800', '__proto__', 'null', '1e999'),
      fc.string({ unit: 'binary', maxLength: 3 }),
    );
    let taken = 0;
    fc.assert(
      fc.property(anyFrame, fc.nat(), fc.nat({ max: 4 }), junk, (frame, where, length, inserted) => {
        const text = encodeClientFrame(frame);
        const at = where % text.length;
        if (survives(text.slice(0, at) + inserted + text.slice(at + length))) taken++;
      }),
      { numRuns: 2_000 },
    );
    expect(taken).toBeGreaterThan(0);
    expect(taken).toBeLessThan(2_000);
  });

  it('as nesting without end, numbers without end, lone surrogates', () => {
    const deep = 100_000;
    survives('['.repeat(deep));
    survives('['.repeat(deep) + ']'.repeat(deep));
    survives(`{"frame":"PING","t":${'{"t":'.repeat(deep)}1${'}'.repeat(deep)}}`);
    survives(`{"frame":"SEND","mediaIds":${'['.repeat(deep)}${']'.repeat(deep)}}`);
    survives(`{"frame":"PING","t":${'9'.repeat(deep)}}`);
    expect(survives('{"frame":"PING","t":1,"note":"\\ud800","\\udfff":"\ud800"}')).toBe(true);
    expect(survives('{"frame":"OPEN","chatId":"c_1\\ud800"}')).toBe(false);
  });

  it('leaves Object.prototype alone', () => {
    survives('{"frame":"RESUME","cursors":{"__proto__":{"polluted":1}}}');
    survives('{"frame":"SEND","__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}');
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
    // A name that lies on the prototype is not a field that was sent.
    expect(decode('{"frame":"OPEN","__proto__":{"chatId":"c_1"}}')).toMatchObject(refusal('chatId'));
  });
});
