import fc from 'fast-check';
import { expect, test } from 'vitest';
import { chatId, userId } from '../../../core/contract/ids.ts';
import { createPlacement, regionOf, SLOTS } from '../../../core/contract/placement.ts';
import type { DeliveryEvent } from '../../../core/contract/records.ts';
import { createRecordDecoder, encodeEvents, traceparentIn } from './record-codec.ts';
import { event } from './testing/queue-under-test.ts';

const TWO = createPlacement([
  { name: 'a', region: 'eu', slots: [[0, SLOTS / 2 - 1]] },
  { name: 'b', region: 'us', slots: [[SLOTS / 2, SLOTS - 1]] },
]);

const untraced = (): undefined => undefined;

const decodeAll = (events: readonly DeliveryEvent[]): unknown[] => {
  const decode = createRecordDecoder();
  return encodeEvents(events, TWO, untraced).map(({ message }) =>
    decode({ key: Buffer.from(message.key), value: message.value, headers: message.headers }),
  );
};

test('every event comes back as it was, in the topic of its recipient’s home', () => {
  const receipt: DeliveryEvent = JSON.parse(
    '{"recipient":"u_7","item":{"kind":"receipt","receipt":{"chatId":"c_1","userId":"u_2","type":"READ","seq":3,"serverMsgId":"m_3","at":9}}}',
  ) as DeliveryEvent;
  const typing: DeliveryEvent = {
    recipient: userId('u_8'),
    item: { kind: 'typing', chatId: chatId('c_1'), from: userId('u_2') },
  };
  const events = [event(1, 1), event(2, 2), receipt, typing, event(9, 3)];
  expect(decodeAll(events)).toEqual(events);
  for (const { topic, message } of encodeEvents(events, TWO, untraced))
    expect(topic).toBe(`parley.deliver.${regionOf(TWO, message.key)}`);
});

test('a message to many is encoded once and decoded once', () => {
  const { item } = event(1, 1);
  const events = [1, 2, 3].map((user) => ({ recipient: userId(`u_${user}`), item }));
  expect(new Set(encodeEvents(events, TWO, untraced).map(({ message }) => message.value)).size).toBe(1);
  const decode = createRecordDecoder();
  const items = encodeEvents(events, TWO, untraced).map(({ message }) => {
    // As they come from a broker: bytes of their own.
    const decoded = decode({ key: Buffer.from(message.key), value: Buffer.from(message.value) });
    return 'item' in decoded ? decoded.item : undefined;
  });
  expect(items).toEqual([item, item, item]);
  expect(new Set(items).size).toBe(1);
});

test('a message that is traced carries its trace context, and nothing else does', () => {
  const typing: DeliveryEvent = {
    recipient: userId('u_8'),
    item: { kind: 'typing', chatId: chatId('c_1'), from: userId('u_2') },
  };
  const { clientMsgId } = (event(2, 2).item as Extract<DeliveryEvent['item'], { kind: 'message' }>).message;
  const context = `00-${clientMsgId.replaceAll('-', '')}-8000000000000000-01`;
  const traced = encodeEvents([event(2, 2), typing], TWO, (id) => (id === clientMsgId ? context : undefined));
  expect(traced.map(({ message }) => traceparentIn(message.headers))).toEqual([context, undefined]);
  expect(encodeEvents([event(2, 2)], TWO, untraced)[0]?.message.headers).toEqual({ v: Buffer.from('1') });
});

test.for([
  ['version', 'u_1', '{}', 'the header v'],
  ['key', 'x_1', '{}', 'the key is no user id'],
  ['key', 'u_01', '{}', 'the key is no user id'],
  ['json', 'u_1', '{"kind":', 'the value is not JSON'],
  ['item', 'u_1', '[]', 'the value must be one JSON object'],
  ['item', 'u_1', 'null', 'the value must be one JSON object'],
  ['item', 'u_1', '{}', 'kind: '],
  ['unknown-kind', 'u_1', '{"kind":"toString"}', 'kind: '],
  ['unknown-kind', 'u_1', '{"kind":"reaction","reaction":{}}', 'kind: '],
  ['item', 'u_1', '{"kind":"message"}', 'message: '],
  [
    'item',
    'u_1',
    '{"kind":"receipt","receipt":{"chatId":"c_1","userId":"u_1","type":"SEEN"}}',
    'receipt.type: ',
  ],
  ['item', 'u_1', '{"kind":"typing","chatId":"c_1"}', 'from: '],
  [
    'item',
    'u_1',
    '{"kind":"counts","count":{"chatId":"c_1","seq":1,"serverMsgId":"m_1","from":"u_1","deliveredCount":1,"readCount":0}}',
    'count.at: ',
  ],
] as const)('poison (%s): key %s, value %s', ([reason, key, value, detail]) => {
  const headers = reason === 'version' ? { v: '2' } : {};
  const decoded = createRecordDecoder()({ key: Buffer.from(key), value: Buffer.from(value), headers });
  expect(decoded).toMatchObject({ kind: 'poison', reason });
  expect('detail' in decoded && decoded.detail.startsWith(detail)).toBe(true);
});

test('whatever bytes come in, an event or a poison comes out', () => {
  const decode = createRecordDecoder();
  const good = encodeEvents([event(1, 1)], TWO, untraced)[0]?.message.value ?? Buffer.alloc(0);
  const value = fc.oneof(
    fc.uint8Array({ maxLength: 64 }).map((bytes) => Buffer.from(bytes)),
    fc.json().map((text) => Buffer.from(text)),
    fc.tuple(fc.nat(good.length - 1), fc.nat(255)).map(([at, byte]) => {
      const changed = Buffer.from(good);
      changed[at] = byte;
      return changed;
    }),
  );
  fc.assert(
    fc.property(value, (bytes) => {
      const decoded = decode({ key: Buffer.from('u_1'), value: bytes });
      expect('reason' in decoded || decoded.recipient === 'u_1').toBe(true);
    }),
  );
});
