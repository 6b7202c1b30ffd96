import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ChatId, UserId } from '../../core/contract/ids.ts';
import { openNodeSocket } from '../client/client-socket-node.ts';
import { openWebSocket, type OpenSocket } from '../client/client-socket.ts';
import { createFileStorage } from '../client/device-storage-file-node.ts';
import { createLocalStorage } from '../client/device-storage-local.ts';
import type { DeviceStorage } from '../client/device-storage.ts';
import { createParleyClient, type ParleyClient } from '../client/parley-client.ts';
import { fetchDevToken } from './raw-device.ts';
import { startTestServer, type TestServer } from './test-server.ts';

/** The SDK as an application uses it, with the sockets and storages of browsers and of Node. */

let server: TestServer;
let folder: string;
const clients: ParleyClient[] = [];
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'parley-sdk-'));
  server = await startTestServer();
});
afterAll(async () => {
  await Promise.all(clients.map((client) => client.disconnect()));
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
});

let lastUser = 700;
const newUser = (): UserId => `u_${++lastUser}` as UserId;

async function client(
  user: UserId,
  options: { storage?: DeviceStorage; openSocket?: OpenSocket; url?: string; token?: string } = {},
): Promise<ParleyClient> {
  const token = options.token ?? (await fetchDevToken(server.url, user, 'phone'));
  const { storage, openSocket = openNodeSocket, url = server.url } = options;
  const made = await createParleyClient({
    url,
    token,
    openSocket,
    ...(storage === undefined ? {} : { storage }),
  });
  clients.push(made);
  return made;
}

const live = (of: ParleyClient): Promise<void> =>
  new Promise((resolve) => {
    if (of.status === 'live') resolve();
    else of.on('synced', () => resolve());
  });
const once = <Name extends 'message' | 'receipt' | 'presence' | 'typing'>(
  of: ParleyClient,
  name: Name,
): Promise<unknown> => new Promise((resolve) => of.on(name, resolve));

/** What a browser has. */
function fakeArea(): Storage {
  const items = new Map<string, string>();
  return {
    getItem: (key: string) => items.get(key) ?? null,
    setItem: (key: string, value: string) => void items.set(key, value),
    removeItem: (key: string) => void items.delete(key),
    clear: () => items.clear(),
    key: () => null,
    get length() {
      return items.size;
    },
  };
}

test.each([
  ['ws', openNodeSocket],
  ['the WebSocket of browsers', openWebSocket],
])('over %s: send, receive, read, type, see who is there, read history', async (_name, openSocket) => {
  const [a, b] = [newUser(), newUser()];
  const alice = await client(a, { openSocket });
  const bob = await client(b, { openSocket });
  const { chatId } = await alice.createChat('direct', [b]);
  alice.connect();
  bob.connect();
  await Promise.all([live(alice), live(bob)]);
  const message = once(bob, 'message');
  const sent = await alice.send(chatId, 'grüß dich ✓');
  expect(sent.seq).toBe(1);
  const got = (await message) as { text(): string; from: string; own: boolean };
  expect([got.text(), got.from, got.own]).toEqual(['grüß dich ✓', a, false]);
  const read = new Promise((resolve) =>
    alice.on('receipt', (receipt) => receipt.type === 'READ' && resolve(receipt)),
  );
  bob.markRead(chatId);
  expect(await read).toMatchObject({ userId: b, seq: 1 });
  const presence = once(alice, 'presence');
  alice.open(chatId);
  expect(await presence).toMatchObject({ userId: b, online: true });
  await sleep(100);
  const typing = once(alice, 'typing');
  bob.typing(chatId);
  expect(await typing).toEqual({ chatId, from: b });
  expect((await bob.history(chatId, 0, 10)).messages).toHaveLength(1);
  expect((await alice.receipts(chatId, sent.serverMsgId)).receipts).toMatchObject([{ userId: b }]);
  expect(bob.recent(chatId).map((each) => each.text())).toEqual(['grüß dich ✓']);
});

test('a refusal for good rejects the send with its code', async () => {
  const alice = await client(newUser());
  alice.connect();
  await expect(alice.send('c_404404' as ChatId, 'anybody?')).rejects.toMatchObject({
    name: 'SendError',
    code: 'no_such_chat',
  });
});

test.each([
  ['ws', openNodeSocket],
  ['the WebSocket of browsers', openWebSocket],
])('a token that is refused ends the attempts, over %s', async (_name, openSocket) => {
  const token = `${await fetchDevToken(server.url, 'u_799')}x`;
  const refused = await client('u_799' as UserId, { token, openSocket });
  const status = new Promise((resolve) =>
    refused.on('status', (each) => each === 'unauthenticated' && resolve(each)),
  );
  refused.connect();
  expect(await status).toBe('unauthenticated');
});

test.each([
  ['a file', () => createFileStorage(join(folder, 'outbox.log'))],
  [
    'localStorage',
    (() => {
      const area = fakeArea();
      return () => createLocalStorage('parley:test', area);
    })(),
  ],
])(
  'what was written while the server was away is sent after a restart of the app, from %s',
  async (_name, open) => {
    const [a, b] = [newUser(), newUser()];
    const bob = await client(b);
    bob.connect();
    const { chatId } = await bob.createChat('direct', [a]);
    await live(bob);
    const offline = await client(a, { storage: open(), url: 'http://127.0.0.1:9' });
    offline.connect();
    for (const text of ['first', 'second']) offline.send(chatId, text).catch(() => undefined);
    await sleep(100);
    await offline.disconnect();

    const got: string[] = [];
    bob.on('message', (message) => got.push(message.text()));
    const again = await client(a, { storage: open() });
    const sent: number[] = [];
    again.on('sent', ({ seq }) => sent.push(seq));
    again.connect();
    await expect.poll(() => got).toEqual(['first', 'second']);
    await expect.poll(() => sent).toEqual([1, 2]);
    await again.disconnect();

    // And once more: nothing is sent or shown a second time.
    const third = await client(a, { storage: open() });
    third.connect();
    await live(third);
    await sleep(200);
    expect(got).toEqual(['first', 'second']);
    expect(third.recent(chatId).map((each) => each.text())).toEqual(['first', 'second']);
  },
);
