import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { DEFAULT_LIMITS, type Limits } from '../../core/contract/limits.ts';
import type { UserId } from '../../core/contract/ids.ts';
import { MILLISECOND, SECOND } from '../../core/contract/time.ts';
import type { TransportChoice } from '../../core/device/transport.ts';
import { openNodeSocket } from '../client/client-socket-node.ts';
import { openWebSocket } from '../client/client-socket.ts';
import { callHttp } from '../client/http-calls.ts';
import { createParleyClient, type ParleyClient } from '../client/parley-client.ts';
import { startHostileProxy, type HostileProxy } from './hostile-proxy.ts';
import { fetchDevToken } from './raw-device.ts';
import { startTestServer, sumOfMetric, type TestServer } from './test-server.ts';

/** The SDK behind things that do not let WebSockets through, or that break what they carry. */

let server: TestServer;
let proxy: HostileProxy;
const clients: ParleyClient[] = [];
beforeAll(async () => {
  server = await startTestServer({ heartbeat: 500 * MILLISECOND });
  proxy = await startHostileProxy(server.url);
});
afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.disconnect()));
  proxy.upgrades = 'pass';
  proxy.cuts = () => false;
});
afterAll(async () => {
  await proxy.close();
  await server.stop();
});

let lastUser = 900;
const newUser = (): UserId => `u_${++lastUser}` as UserId;
const EAGER: Limits = {
  ...DEFAULT_LIMITS,
  reconnectBase: 50 * MILLISECOND,
  reconnectMax: 200 * MILLISECOND,
  connectTimeout: 1 * SECOND,
  sendRetry: 1 * SECOND,
};

interface Options {
  readonly transport?: TransportChoice;
  readonly limits?: Limits;
  readonly browser?: boolean;
}

async function client(
  user: UserId,
  { transport, limits = EAGER, browser }: Options = {},
): Promise<ParleyClient> {
  const made = await createParleyClient({
    url: proxy.url,
    token: () => fetchDevToken(server.url, user, 'phone'),
    openSocket: browser === true ? openWebSocket : openNodeSocket,
    limits,
    ...(transport === undefined ? {} : { transport }),
  });
  clients.push(made);
  return made;
}

const live = (of: ParleyClient): Promise<void> =>
  new Promise((resolve) => {
    if (of.status === 'live') resolve();
    else of.on('synced', () => resolve());
  });

/** What the server counts. */
const polling = (): Promise<number> => sumOfMetric(server, /^parley_poll_sessions (\d+)$/m);

async function chatOf(a: UserId, b: UserId) {
  const api = await client(a);
  return (await api.createChat('direct', [b])).chatId;
}

describe.each([
  ['an upgrade that is refused', 'refuse', false],
  ['an upgrade that is refused, in a browser', 'refuse', true],
  ['an upgrade that nobody answers', 'hang', false],
] as const)('behind %s', (_name, upgrades, browser) => {
  test('a client falls back to long polling by itself, and nothing is missing', async () => {
    proxy.upgrades = upgrades;
    const [a, b] = [newUser(), newUser()];
    const chatId = await chatOf(a, b);
    const [alice, bob] = await Promise.all([client(a, { browser }), client(b, { browser })]);
    const got: string[] = [];
    bob.on('message', (message) => got.push(message.text()));
    const read = new Promise((resolve) =>
      alice.on('receipt', ({ type, seq }) => type === 'READ' && seq === 3 && resolve(seq)),
    );
    alice.connect();
    bob.connect();
    await Promise.all([live(alice), live(bob)]);
    expect(await polling()).toBe(2);
    for (const text of ['one', 'two', 'three']) await alice.send(chatId, text);
    await expect.poll(() => got).toEqual(['one', 'two', 'three']);
    bob.markRead(chatId);
    expect(await read).toBe(3);
    const presence = new Promise((resolve) => alice.on('presence', resolve));
    alice.open(chatId);
    expect(await presence).toMatchObject({ userId: b, online: true });
    await Promise.all(clients.splice(0).map((each) => each.disconnect()));
    // Leaving is told, not waited for.
    await expect.poll(polling).toBe(0);
  });
});

test('when WebSockets get through again, the client goes back to one, and nothing is missing', async () => {
  proxy.upgrades = 'refuse';
  const [a, b] = [newUser(), newUser()];
  const chatId = await chatOf(a, b);
  const limits: Limits = { ...EAGER, websocketRetry: 1 * SECOND };
  const [alice, bob] = await Promise.all([client(a), client(b, { limits })]);
  const got: string[] = [];
  bob.on('message', (message) => got.push(message.text()));
  alice.connect();
  bob.connect();
  await Promise.all([live(alice), live(bob)]);
  expect(await polling()).toBe(2);
  proxy.upgrades = 'pass';
  const sent: string[] = [];
  const traffic = setInterval(() => {
    const text = `m${sent.length}`;
    sent.push(text);
    alice.send(chatId, text).catch(() => undefined);
  }, 50);
  await expect.poll(polling, { timeout: 10_000 }).toBe(1);
  clearInterval(traffic);
  await expect.poll(() => got, { timeout: 10_000 }).toEqual(sent);
});

test.each(['poll', 'websocket'] as const)('a client that is told to uses %s alone', async (transport) => {
  const one = await client(newUser(), { transport });
  one.connect();
  await live(one);
  expect(await polling()).toBe(transport === 'poll' ? 1 : 0);
});

test('over polls of which every third answer is cut, each message is shown once and in order', async () => {
  const [a, b] = [newUser(), newUser()];
  const chatId = await chatOf(a, b);
  const [alice, bob] = await Promise.all([
    client(a, { transport: 'poll' }),
    client(b, { transport: 'poll' }),
  ]);
  const got: string[] = [];
  bob.on('message', (message) => got.push(message.text()));
  alice.connect();
  bob.connect();
  await Promise.all([live(alice), live(bob)]);
  let answers = 0;
  proxy.cuts = ({ url = '' }) => url.startsWith('/poll/') && ++answers % 3 === 0;
  const before = proxy.seen.cut;
  const texts = Array.from({ length: 60 }, (_, i) => `m${i}`);
  const sends = texts.map(async (text, i) => {
    await new Promise((resolve) => setTimeout(resolve, i * 30));
    return alice.send(chatId, text);
  });
  const seqs = (await Promise.all(sends)).map(({ seq }) => seq);
  expect(new Set(seqs).size).toBe(60);
  await expect.poll(() => got.length, { timeout: 20_000 }).toBe(60);
  const order = texts.toSorted((x, y) => (seqs[texts.indexOf(x)] ?? 0) - (seqs[texts.indexOf(y)] ?? 0));
  expect(got).toEqual(order);
  expect(proxy.seen.cut - before).toBeGreaterThan(10);
}, 60_000);

test.each(['poll', 'websocket'] as const)(
  'a token that runs out is replaced by a fresh one without anybody noticing, over %s',
  async (transport) => {
    const [a, b] = [newUser(), newUser()];
    const chatId = await chatOf(a, b);
    let asked = 0;
    const bob = await createParleyClient({
      url: server.url,
      openSocket: openNodeSocket,
      transport,
      limits: EAGER,
      async token() {
        asked++;
        const body = { userId: b, deviceId: 'phone', expiresInS: asked <= 2 ? 2 : 600 };
        return (await callHttp<{ token: string }>(server.url, 'POST', '/v1/dev/token', { body })).token;
      },
    });
    clients.push(bob);
    const statuses: string[] = [];
    bob.on('status', (status) => statuses.push(status));
    const got: string[] = [];
    bob.on('message', (message) => got.push(message.text()));
    bob.connect();
    await live(bob);
    const again = new Promise((resolve) =>
      bob.on('status', (status) => status === 'live' && resolve(status)),
    );
    expect(await again).toBe('live');
    expect(asked).toBeGreaterThan(2);
    expect(statuses).not.toContain('unauthenticated');
    const alice = await client(a);
    alice.connect();
    await alice.send(chatId, 'still there?');
    await expect.poll(() => got).toEqual(['still there?']);
  },
);
