import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createHttpCalls } from '../client/http-calls.ts';
import type { UserId } from '../../core/contract/ids.ts';
import type { RawDevice } from './frame-log.ts';
import { connectRaw, fetchDevToken } from './raw-device.ts';
import { startTestServer, type TestServer } from './test-server.ts';

/** Who was never in a chat learns nothing of it: every question has the answer it has for a chat that does not exist. */

const MEMBER = 'u_501' as UserId;
const FRIEND = 'u_502' as UserId;
const STRANGER = 'u_503' as UserId;
/** As good an id as any, and nobody's. */
const NO_CHAT = 'c_777';

let server: TestServer;
let chatId: string;
let serverMsgId: string;
let member: RawDevice;
let stranger: RawDevice;

beforeAll(async () => {
  server = await startTestServer();
  const api = createHttpCalls(server.url, () => fetchDevToken(server.url, MEMBER));
  ({ chatId } = await api.createChat('group', [FRIEND]));
  member = await connectRaw({ url: server.url, user: MEMBER, device: 'phone' });
  stranger = await connectRaw({ url: server.url, user: STRANGER, device: 'phone' });
  member.send({
    frame: 'SEND',
    clientMsgId: crypto.randomUUID(),
    chatId,
    ciphertext: 'c2VjcmV0',
    mediaIds: [],
  });
  serverMsgId = String((await member.next(({ frame }) => frame === 'ACK'))['serverMsgId']);
});
afterAll(async () => {
  await Promise.all([member.close(), stranger.close()]);
  await server.stop();
});

/** Hides what differs because it was asked for. */
const anonymous = (text: string): string => text.replaceAll(chatId, 'CHAT').replaceAll(NO_CHAT, 'CHAT');

describe('over HTTP', () => {
  const routes: readonly (readonly [string, (chat: string) => string, object?])[] = [
    ['GET', (chat) => `/v1/chats/${chat}`],
    ['GET', (chat) => `/v1/chats/${chat}/messages`],
    ['GET', (chat) => `/v1/chats/${chat}/messages?afterSeq=0&limit=1`],
    ['GET', (chat) => `/v1/chats/${chat}/receipts?serverMsgId=${serverMsgId}`],
    ['PUT', (chat) => `/v1/chats/${chat}/members/${STRANGER}`, { role: 'admin' }],
    ['DELETE', (chat) => `/v1/chats/${chat}/members/${FRIEND}`],
    ['DELETE', (chat) => `/v1/chats/${chat}/members/${STRANGER}`],
  ];
  test.each(routes.map((route) => [`${route[0]} ${route[1]('…')}`, ...route] as const))(
    '%s',
    async (_name, method, path, body) => {
      const ask = async (chat: string): Promise<readonly [number, string]> => {
        const answer = await fetch(server.url + path(chat), {
          method,
          headers: {
            authorization: `Bearer ${await fetchDevToken(server.url, STRANGER)}`,
            'content-type': 'application/json',
          },
          ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        });
        return [answer.status, anonymous(await answer.text())];
      };
      const real = await ask(chatId);
      expect(real).toEqual(await ask(NO_CHAT));
      expect(real[0]).toBe(404);
      expect(JSON.parse(real[1])).toMatchObject({ code: 'no_such_chat' });
    },
  );

  test('its own list of chats is empty', async () => {
    const api = createHttpCalls(server.url, () => fetchDevToken(server.url, STRANGER));
    expect(await api.chats()).toEqual([]);
  });
});

describe('over the WebSocket', () => {
  const frames: readonly (readonly [string, (chat: string) => object])[] = [
    [
      'SEND',
      (chat) => ({
        frame: 'SEND',
        clientMsgId: crypto.randomUUID(),
        chatId: chat,
        ciphertext: 'aGk=',
        mediaIds: [],
      }),
    ],
    ['SYNC', (chat) => ({ frame: 'SYNC', chatId: chat, afterSeq: 0, limit: 10 })],
    ['OPEN', (chat) => ({ frame: 'OPEN', chatId: chat })],
    ['CLOSE', (chat) => ({ frame: 'CLOSE', chatId: chat })],
    ['TYPING', (chat) => ({ frame: 'TYPING', chatId: chat })],
    ['RECEIPT', (chat) => ({ frame: 'RECEIPT', chatId: chat, serverMsgId, type: 'READ' })],
  ];
  test.each(frames)('%s', async (_name, frame) => {
    const ask = async (chat: string): Promise<string> => {
      const from = stranger.frames.length;
      stranger.send(frame(chat));
      await new Promise((resolve) => setTimeout(resolve, 250));
      // A clientMsgId is of the question, not of the answer.
      return anonymous(
        JSON.stringify(stranger.frames.slice(from).map(({ clientMsgId: _, ...rest }) => rest)),
      );
    };
    const real = await ask(chatId);
    expect(real).toEqual(await ask(NO_CHAT));
    expect(real).not.toContain('c2VjcmV0');
    expect(real).not.toContain('MESSAGE');
  });

  test('RESUME with the chat replays nothing of it', async () => {
    const again = await connectRaw({
      url: server.url,
      user: STRANGER,
      device: 'again',
      cursors: { [chatId]: 0, [NO_CHAT]: 0 },
    });
    expect(again.frames.filter(({ frame }) => frame === 'MESSAGE')).toEqual([]);
    const synced = again.frames.at(-1);
    expect(synced?.frame).toBe('SYNCED');
    await again.close();
  });

  test('and the members saw nothing of all that', async () => {
    const seen = member.frames.filter(
      ({ frame }) => frame !== 'WELCOME' && frame !== 'SYNCED' && frame !== 'ACK',
    );
    expect(JSON.stringify(seen)).not.toContain(STRANGER);
  });
});
