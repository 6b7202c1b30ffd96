import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  chatId,
  clientMsgId,
  deviceId,
  mediaId,
  nodeId,
  serverMsgId,
  userId,
} from '../../core/contract/ids.ts';
import { DEFAULT_LIMITS } from '../../core/contract/limits.ts';
import { micros } from '../../core/contract/time.ts';
import { CLIENT_FRAMES, decodeClientFrame, encodeClientFrame } from '../../core/wire/client-codec.ts';
import { ERROR_RETRYABLE, type ClientFrame, type ServerFrame } from '../../core/wire/frames.ts';
import { decodeServerFrame, encodeServerFrame } from '../../core/wire/server-codec.ts';
import { isObject, readApiDocument, type JsonObject } from './api-document.ts';
import type { ApiSchema } from './api-schema.ts';
import { exampleOf } from './schema-examples.ts';
import { faultsOf } from './schema-faults.ts';

/** docs/api/asyncapi.yaml against the codec: what it allows decodes, what it forbids does not, and nothing else is said. */

interface Message {
  readonly payload: ApiSchema;
}
interface Operation {
  readonly action: 'send' | 'receive';
  readonly messages: readonly Message[];
}
const document = readApiDocument('asyncapi.yaml') as unknown as {
  readonly asyncapi: string;
  readonly channels: { readonly connection: { readonly address: string } };
  readonly operations: Readonly<Record<'fromDevice' | 'toDevice', Operation>>;
};
const { fromDevice, toDevice } = document.operations;
const nameOf = ({ payload }: Message): string => String(payload.properties?.['frame']?.const);
const named = (messages: readonly Message[]) =>
  messages.map(
    (message) =>
      [`${nameOf(message)} ${(message.payload.required ?? []).join(' ')}`, message.payload] as const,
  );

const decoders = {
  fromDevice: (text: string) => decodeClientFrame(text, DEFAULT_LIMITS),
  toDevice: decodeServerFrame,
} as const;
const ids = {
  chatId: chatId('c_9'),
  serverMsgId: serverMsgId('m_88'),
  clientMsgId: clientMsgId('01900000-0000-7000-8000-000000000001'),
  userId: userId('u_3'),
};

/** One of each frame, with every field that it may have: the compiler misses one that is not here. */
const CLIENT: { readonly [Name in ClientFrame['frame']]: Extract<ClientFrame, { frame: Name }> } = {
  SEND: {
    frame: 'SEND',
    clientMsgId: ids.clientMsgId,
    chatId: ids.chatId,
    ciphertext: 'aGk=',
    mediaIds: [mediaId('x_1')],
  },
  RECEIPT: { frame: 'RECEIPT', chatId: ids.chatId, serverMsgId: ids.serverMsgId, type: 'READ' },
  RESUME: { frame: 'RESUME', cursors: [[ids.chatId, 4]] },
  OPEN: { frame: 'OPEN', chatId: ids.chatId },
  CLOSE: { frame: 'CLOSE', chatId: ids.chatId },
  TYPING: { frame: 'TYPING', chatId: ids.chatId },
  SYNC: { frame: 'SYNC', chatId: ids.chatId, afterSeq: 4, limit: 9 },
  PING: { frame: 'PING', t: 1 },
  PONG: { frame: 'PONG', t: 1 },
};
const about = { chatId: ids.chatId, serverMsgId: ids.serverMsgId, seq: 4, at: micros(1_000) };
const SERVER: {
  readonly [Name in ServerFrame['frame']]: readonly Required<Extract<ServerFrame, { frame: Name }>>[];
} = {
  WELCOME: [
    {
      frame: 'WELCOME',
      deviceId: deviceId('d_7'),
      gatewayId: nodeId('g'),
      region: 'r',
      sessionEpoch: 1,
      heartbeatMs: 1,
      maxInFlight: 1,
      chats: [{ chatId: ids.chatId, head: 4, cursor: 2 }],
    },
  ],
  SYNCED: [{ frame: 'SYNCED', heads: [[ids.chatId, 4]] }],
  ACK: [
    {
      frame: 'ACK',
      clientMsgId: ids.clientMsgId,
      chatId: ids.chatId,
      serverMsgId: ids.serverMsgId,
      seq: 4,
      sentAt: micros(1_000),
      duplicate: true,
    },
  ],
  MESSAGE: [
    {
      frame: 'MESSAGE',
      chatId: ids.chatId,
      serverMsgId: ids.serverMsgId,
      seq: 4,
      prev: 1,
      from: ids.userId,
      fromDevice: deviceId('d_7'),
      clientMsgId: ids.clientMsgId,
      ciphertext: 'aGk=',
      mediaIds: [mediaId('x_1')],
      sentAt: micros(1_000),
    },
  ],
  RECEIPT: [
    { frame: 'RECEIPT', ...about, userId: ids.userId, type: 'READ' },
    { frame: 'RECEIPT', ...about, userId: undefined as never, type: 'READ', deliveredCount: 3, readCount: 2 },
  ],
  PRESENCE: [{ frame: 'PRESENCE', userId: ids.userId, status: 'OFFLINE', lastSeen: micros(1_000) }],
  TYPING: [{ frame: 'TYPING', chatId: ids.chatId, from: ids.userId }],
  SYNC_END: [{ frame: 'SYNC_END', chatId: ids.chatId, head: 4 }],
  PING: [{ frame: 'PING', t: 1 }],
  PONG: [{ frame: 'PONG', t: 1 }],
  ERROR: [
    {
      frame: 'ERROR',
      code: 'rate_limited',
      message: 'm',
      retryAfterMs: 1,
      clientMsgId: ids.clientMsgId,
      chatId: ids.chatId,
      refusedFrame: 'SEND',
    },
  ],
  GOAWAY: [{ frame: 'GOAWAY', reason: 'drain', reconnectAfterMs: 1 }],
};

test('the document names the frames of the code, and no other', () => {
  expect(document.asyncapi).toBe('3.0.0');
  expect(document.channels.connection.address).toBe('/ws/connect');
  expect([fromDevice.action, toDevice.action]).toEqual(['receive', 'send']);
  expect(fromDevice.messages.map(nameOf).toSorted()).toEqual([...CLIENT_FRAMES].toSorted());
  expect(Object.keys(CLIENT).toSorted()).toEqual([...CLIENT_FRAMES].toSorted());
  const down = Object.entries(SERVER).flatMap(([name, samples]) => samples.map(() => name));
  expect(toDevice.messages.map(nameOf).toSorted()).toEqual(down.toSorted());
  const codes = toDevice.messages.find((message) => nameOf(message) === 'ERROR')?.payload.properties?.[
    'code'
  ];
  expect(codes?.enum).toEqual(Object.keys(ERROR_RETRYABLE));
});

describe('what the code says is what the document says, field by field', () => {
  const samples: readonly (readonly [string, string, Operation])[] = [
    ...Object.values(CLIENT).map((frame) => [frame.frame, encodeClientFrame(frame), fromDevice] as const),
    ...Object.values(SERVER)
      .flat()
      .map((frame) => [frame.frame, encodeServerFrame(frame as ServerFrame), toDevice] as const),
  ];
  test.each(samples)('%s', (name, text, operation) => {
    const said = JSON.parse(text) as JsonObject;
    const fields = Object.keys(said).toSorted();
    const described = operation.messages
      .filter((message) => nameOf(message) === name)
      .map(({ payload }) => Object.keys(payload.properties ?? {}).toSorted());
    // The samples have every field, so both ways: nothing is missing there, and nothing is missing here.
    expect(described).toContainEqual(fields);
  });
});

describe.each(['fromDevice', 'toDevice'] as const)('%s', (direction) => {
  const decode = decoders[direction];
  test.each(named(document.operations[direction].messages))('%s', (_name, schema) => {
    fc.assert(
      fc.property(exampleOf(schema), (value) => {
        const example = value as JsonObject;
        const decoded = decode(JSON.stringify(example));
        expect(decoded, JSON.stringify(example)).toMatchObject({ ok: true });
        // A newer peer may say more.
        expect(decode(JSON.stringify({ ...example, somethingNew: { deep: [1] } }))).toEqual(decoded);
        for (const { name, value: broken, field, tolerated } of faultsOf(example, schema)) {
          const result = decode(JSON.stringify(broken));
          expect(result.ok, `${name} in ${JSON.stringify(broken).slice(0, 300)}`).toBe(tolerated);
          if (!result.ok) expect(result.message).toContain(field);
        }
      }),
      { numRuns: 30 },
    );
  });

  test('a frame without a name, or of another one, is refused', () => {
    for (const text of ['{}', '{"frame":7}', '{"frame":"NOD"}', '[]', 'null', '7', '{'])
      expect(decode(text).ok).toBe(false);
  });
});

test('the document itself is whole', () => {
  const without: string[] = [];
  const walk = (value: unknown, path: string): void => {
    if (Array.isArray(value)) return value.forEach((item, i) => walk(item, `${path}/${i}`));
    if (!isObject(value)) return;
    const { properties } = value;
    if (value['type'] === 'object' && isObject(properties)) {
      const known = Object.keys(properties);
      for (const name of (value['required'] ?? []) as readonly string[])
        if (!known.includes(name)) without.push(`${path}: ${name}`);
    }
    for (const [key, each] of Object.entries(value)) walk(each, `${path}/${key}`);
  };
  walk(document, '');
  expect(without).toEqual([]);
});
