import { expect, test } from 'vitest';
import { chatId } from '../../core/contract/ids.ts';
import type { OpenSocket, SocketEvents } from './client-socket.ts';
import { createMemoryStorage } from './device-storage.ts';
import { createParleyClient, type ParleyClientOptions } from './parley-client.ts';
import { urlUnder } from './url-under.ts';

/** What an application is promised when there is no server to keep the promise. */

const CHAT = chatId('c_1');
const tokenOf = (sub: string, did = 'd_1'): string =>
  `x.${Buffer.from(JSON.stringify({ sub, did })).toString('base64url')}.x`;

async function begin(options: Partial<ParleyClientOptions> = {}) {
  const opened: string[] = [];
  const openSocket: OpenSocket = (url, _token, _events: SocketEvents) => {
    opened.push(url);
    return { send: () => undefined, close: () => undefined };
  };
  const client = await createParleyClient({
    url: 'http://localhost:1',
    token: tokenOf('u_1'),
    openSocket,
    transport: 'websocket',
    ...options,
  });
  return { client, opened };
}

test('a send settles when the client is disconnected, and after it', async () => {
  const { client } = await begin();
  client.connect();
  const before = client.send(CHAT, 'hi');
  await client.disconnect();
  await expect(before).rejects.toThrow('disconnected');
  await expect(client.send(CHAT, 'hi')).rejects.toThrow('disconnected');
});

test('a send settles when the client breaks, and after it', async () => {
  const storage = {
    ...createMemoryStorage(),
    commit: () => Promise.reject(new Error('the disk is full')),
  };
  const { client } = await begin({ storage });
  await expect(client.send(CHAT, 'hi')).rejects.toThrow('the disk is full');
  await expect(client.send(CHAT, 'hi')).rejects.toThrow('the disk is full');
});

test('a send that the storage has no room for is refused, and the client goes on', async () => {
  const storage = { ...createMemoryStorage(), hasRoomFor: (chars: number) => chars < 100 };
  const { client } = await begin({ storage });
  await expect(client.send(CHAT, 'x'.repeat(100))).rejects.toMatchObject({ code: 'overloaded' });
  const small = client.send(CHAT, 'x');
  await client.disconnect();
  await expect(small).rejects.toThrow('disconnected');
});

test.each([
  ['user', tokenOf('u_2')],
  ['device', tokenOf('u_1', 'd_2')],
])('a token of another %s is used for nothing', async (_whose, other) => {
  const tokens = [tokenOf('u_1')];
  const { client, opened } = await begin({ token: () => tokens.shift() ?? other });
  client.connect();
  const offline = Promise.withResolvers<void>();
  client.on('status', (status) => status === 'offline' && offline.resolve());
  await offline.promise;
  expect(opened).toEqual([]);
  await expect(client.chats()).rejects.toThrow('the token is of');
  await client.disconnect();
});

test.each(['http://x:1/parley', 'http://x:1/parley/'])('the path of %s is kept', async (url) => {
  const { client, opened } = await begin({ url });
  client.connect();
  await expect.poll(() => opened).toEqual(['ws://x:1/parley/ws/connect']);
  await client.disconnect();
  expect(urlUnder(url, '/v1/chats?x=1').href).toBe('http://x:1/parley/v1/chats?x=1');
});

test('a connection that cannot even be begun is told to the application, and ends nothing but the client', async () => {
  const openSocket: OpenSocket = () => {
    throw new SyntaxError('this address is no WebSocket’s');
  };
  const { client } = await begin({ openSocket });
  const broken = Promise.withResolvers<unknown>();
  client.on('broken', broken.resolve);
  client.connect();
  const sent = client.send(CHAT, 'hi');
  expect(String(await broken.promise)).toContain('no WebSocket’s');
  await expect(sent).rejects.toThrow('no WebSocket’s');
  await client.disconnect();
});

test('a token with what no header may carry is refused at once, as the line end of the file that it was read from', async () => {
  await expect(begin({ token: `${tokenOf('u_1')}\n` })).rejects.toThrow('the token is not a JWT');
});
