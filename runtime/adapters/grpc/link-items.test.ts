import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  createPushEncoder,
  encodeEvict,
  encodePushResult,
  encodeReply,
  encodeRequest,
  HINT,
  LEAVING,
  readItems,
  type ItemSink,
} from './link-items.ts';
import { madeCreate, madePush, madeSubmit } from './testing/link-items-made.ts';

type Seen = readonly unknown[];

function read(message: string): { readonly ok: boolean; readonly seen: Seen[]; readonly skipped: string[] } {
  const seen: Seen[] = [];
  const skipped: string[] = [];
  const note =
    (kind: string) =>
    (...args: Seen): void =>
      void seen.push([kind, ...args]);
  const sink: ItemSink = {
    request: note('request'),
    reply: note('reply'),
    push: note('push'),
    pushResult: note('result'),
    evict: note('evict'),
    hint: note('hint'),
    leaving: note('leaving'),
    skipped: (why) => void skipped.push(why),
  };
  return { ok: readItems(message, sink), seen, skipped };
}
const one = (item: unknown) => read(JSON.stringify([item]));

const push = madePush('worker-1.1', 7);
const submit = madeSubmit('gateway-1.2', 'c_9', 4);
const key = { userId: push.userId, deviceId: push.deviceId };

describe('items', () => {
  it('are read as they were written, in order', () => {
    const create = madeCreate('gateway-1.2', 'u_1');
    const reply = { kind: 'member-changed', conn: submit.replyTo.conn, chatId: submit.chatId } as const;
    const items = [
      encodeRequest(submit),
      encodeRequest(create),
      encodeReply('http "api"', reply),
      createPushEncoder()('', push),
      encodePushResult('', 7, 'no-session'),
      encodePushResult('worker', 8, 'settled'),
      encodeEvict('gateway', key, 3),
      HINT,
      LEAVING,
    ];
    expect(read(`[${items.join(',')}]`)).toEqual({
      ok: true,
      skipped: [],
      seen: [
        ['request', submit],
        ['request', create],
        ['reply', 'http "api"', reply],
        ['push', '', push],
        ['result', '', 7, 'no-session'],
        ['result', 'worker', 8, 'settled'],
        ['evict', 'gateway', key, 3],
        ['hint'],
        ['leaving'],
      ],
    });
  });

  it('that share what they carry are written from one text, whatever comes between them', () => {
    let written = 0;
    const counted = <Item extends object>(item: Item): Item => ({ ...item, toJSON: () => (written++, item) });
    const [first, other] = [counted(push.item), counted(madePush('worker-1.1', 8).item)];
    const encode = createPushEncoder();
    const pushes = [first, first, first, other, first].map((item, i) => ({ ...push, pushId: i, item }));
    const messages = pushes.map((each) => read(`[${encode('gateway "2"', each)}]`).seen[0]);
    expect(messages).toEqual(
      pushes.map((each) => ['push', 'gateway "2"', JSON.parse(JSON.stringify(each)) as unknown]),
    );
    // Three texts for five pushes, and one for each of those that they are compared with.
    expect(written).toBe(3 + pushes.length);
  });

  it('of a newer peer: unknown kinds are passed over, their neighbours are read', () => {
    const items = [
      ['z', 1],
      ['q', { ...submit, kind: 'react' }],
      ['a', '', { kind: 'poll-opened', conn: 1 }],
      ['p', '', { ...push, item: { kind: 'reaction', emoji: '☎' } }],
      ['r', '', 7, 'postponed'],
      ['h'],
    ];
    expect(read(JSON.stringify(items))).toEqual({
      ok: true,
      seen: [['hint']],
      skipped: ['unknown-kind', 'unknown-kind', 'unknown-kind', 'unknown-kind', 'unknown-kind'],
    });
  });

  it('of a newer peer: unknown fields survive, further arguments are ignored', () => {
    const richer = { ...submit, priority: 'high', replyTo: { ...submit.replyTo, zone: 'a' } };
    expect(one(['q', richer, 'traceparent'])).toEqual({ ok: true, seen: [['request', richer]], skipped: [] });
    expect(one(['h', 5])).toMatchObject({ seen: [['hint']] });
    expect(one(['r', '', 7, 'settled', 12])).toMatchObject({ seen: [['result', '', 7, 'settled']] });
  });

  const { message } = push.item as { readonly message: object };
  it.each([
    ['no array', { q: 1 }],
    ['no tag', []],
    ['a tag that is no text', [7]],
    ['a request that is none', ['q', null]],
    ['a request without a kind', ['q', {}]],
    ['a submit without a chat', ['q', { ...submit, chatId: undefined }]],
    ['a submit with a number for a ciphertext', ['q', { ...submit, ciphertext: 7 }]],
    ['a submit without an address', ['q', { ...submit, replyTo: undefined }]],
    ['a submit with a connection below zero', ['q', { ...submit, replyTo: { node: 'g', conn: -1 } }]],
    ['media that are no texts', ['q', { ...submit, mediaIds: [1] }]],
    ['a reply without its node', ['a', 7, { kind: 'members', conn: 1, chatId: 'c_1', users: [] }]],
    ['a reply without users', ['a', '', { kind: 'members', conn: 1, chatId: 'c_1' }]],
    ['a push without an item', ['p', '', { ...push, item: undefined }]],
    ['a push with half a number', ['p', '', { ...push, pushId: 0.5 }]],
    [
      'a push of a message without a seq',
      ['p', '', { ...push, item: { kind: 'message', message: { ...message, seq: '1' } } }],
    ],
    ['an outcome that is no text', ['r', '', 7, null]],
    ['an answer to no push', ['r', '', '7', 'settled']],
    ['an eviction without an epoch', ['e', '', 'u_1', 'd_1']],
  ])('that would harm a machine never reach it: %s', (_what, item) => {
    expect(one(item)).toEqual({ ok: true, seen: [], skipped: ['malformed'] });
  });

  it('need an array around them', () => {
    for (const text of ['', '{', 'null', '7', '{"q":1}', '"[]"']) expect(read(text).ok).toBe(false);
    expect(read('[]')).toEqual({ ok: true, seen: [], skipped: [] });
  });

  it('of any shape are read, passed over or refused, and nothing throws', () => {
    const tag = fc.constantFrom('q', 'a', 'p', 'r', 'e', 'h', 'l', 'x', '__proto__');
    fc.assert(
      fc.property(fc.array(fc.tuple(tag, fc.jsonValue(), fc.jsonValue(), fc.jsonValue())), (items) => {
        const { ok, seen, skipped } = read(JSON.stringify(items));
        expect(ok).toBe(true);
        expect(seen.length + skipped.length).toBe(items.length);
      }),
    );
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => void read(text)));
  });
});
