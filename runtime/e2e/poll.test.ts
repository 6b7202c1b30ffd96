import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ChatId, UserId } from '../../core/contract/ids.ts';
import { MILLISECOND, SECOND } from '../../core/contract/time.ts';
import { createHttpCalls } from '../client/http-calls.ts';
import { startHostileProxy } from './hostile-proxy.ts';
import type { WireFrame } from './frame-log.ts';
import { connectRaw, fetchDevToken } from './raw-device.ts';
import { startTestServer, type TestServer } from './test-server.ts';

/** Long polling, request by request: who may ask, what is asked twice, what is lost on the way, and how it ends. */

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ heartbeat: 200 * MILLISECOND });
});
afterAll(() => server.stop());

let lastUser = 300;
const newUser = (): UserId => `u_${++lastUser}` as UserId;

interface Answer {
  readonly status: number;
  readonly body: {
    readonly frames: readonly WireFrame[];
    readonly last: number;
    readonly pollId: string;
    readonly closed?: { readonly code: number; readonly reason: string };
    readonly code?: string;
    readonly detail?: string;
  };
}

/** Requests with one token. */
function asker(token: string, url = server.url) {
  const ask = async (method: string, path: string, body?: unknown, signal?: AbortSignal): Promise<Answer> => {
    const response = await fetch(url + path, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      ...(signal === undefined ? {} : { signal }),
    });
    const text = await response.text();
    return { status: response.status, body: JSON.parse(text === '' ? '{}' : text) as Answer['body'] };
  };
  return {
    ask,
    connect: (body: unknown = { cursors: {} }) => ask('POST', '/poll/connect', body),
    get: (pollId: string, query: string, signal?: AbortSignal) =>
      ask('GET', `/poll/${pollId}?${query}`, undefined, signal),
    post: (pollId: string, body: unknown) => ask('POST', `/poll/${pollId}`, body),
  };
}
const deviceOf = async (user: string, device = 'phone', url?: string) =>
  asker(await fetchDevToken(server.url, user, device), url);

const names = ({ body }: Answer): readonly string[] => body.frames.map(({ frame }) => frame);
const sendFrame = (chatId: ChatId, text = 'hi') => ({
  frame: 'SEND',
  clientMsgId: crypto.randomUUID(),
  chatId,
  mediaIds: [],
  ciphertext: Buffer.from(text).toString('base64'),
});

async function pair({ url } = server): Promise<{ a: UserId; b: UserId; chatId: ChatId }> {
  const [a, b] = [newUser(), newUser()];
  const api = createHttpCalls(url, () => fetchDevToken(url, a, 'api'));
  return { a, b, chatId: (await api.createChat('direct', [b])).chatId };
}

test('a connect with cursors brings WELCOME and the start of the replay', async () => {
  const { a, b, chatId } = await pair();
  const alice = await deviceOf(a);
  const { pollId } = (await alice.connect()).body;
  await alice.post(pollId, { frames: [sendFrame(chatId, 'one'), sendFrame(chatId, 'two')] });
  await alice.get(pollId, 'waitMs=5000');
  const bob = await (await deviceOf(b)).connect({ cursors: { [chatId]: 0 } });
  expect(names(bob).slice(0, 2)).toEqual(['WELCOME', 'MESSAGE']);
});

describe('a poll session belongs to the device that opened it', () => {
  test('another user, another device of the same user and an id that never was get the same answer', async () => {
    const user = newUser();
    const { pollId } = (await (await deviceOf(user)).connect()).body;
    const strangers = [await deviceOf(newUser()), await deviceOf(user, 'laptop')];
    const unknown = pollId.replace(/.{6}$/, 'AAAAAA');
    for (const stranger of strangers) {
      const answers = [
        await stranger.get(pollId, 'waitMs=0'),
        await stranger.get(unknown, 'waitMs=0'),
        await stranger.post(pollId, { frames: [] }),
        await stranger.ask('DELETE', `/poll/${pollId}`),
      ];
      for (const answer of answers) expect(answer).toEqual(answers[0]);
      expect(answers[0]).toMatchObject({ status: 404, body: { code: 'bad_frame' } });
    }
    expect((await (await deviceOf(user)).get(pollId, 'waitMs=0')).status).toBe(200);
  });

  test('without a token nothing is told', async () => {
    const { pollId } = (await (await deviceOf(newUser())).connect()).body;
    const answers = await Promise.all([
      asker('x').get(pollId, 'waitMs=0'),
      asker('x').post(pollId, { frames: [] }),
      asker('x').connect(),
    ]);
    for (const { status, body } of answers) expect([status, body.code]).toEqual([401, 'unauthenticated']);
  });
});

describe('a request that is wrong names its field, and the session stays', () => {
  test.each<readonly [string, string, string, unknown, string]>([
    ['POST', 'connect', '', { cursors: { b_9: 1 } }, 'cursors.b_9:'],
    ['POST', 'connect', '', { cursors: { c_9: -1 } }, 'cursors.c_9:'],
    ['POST', 'connect', '', { cursors: [] }, 'cursors:'],
    ['POST', 'connect', '', { since: 1 }, 'since'],
    ['GET', '', 'waitMs=-1', undefined, 'waitMs:'],
    ['GET', '', 'waitMs=30001', undefined, 'waitMs:'],
    ['GET', '', 'waitMs=soon', undefined, 'waitMs:'],
    ['GET', '', 'ack=-1', undefined, 'ack:'],
    ['GET', '', 'waitMs=0&ack=99', undefined, 'ack:'],
    ['GET', '', 'token=x', undefined, 'token'],
    ['POST', '', '', {}, 'frames:'],
    ['POST', '', '', { frames: 'SEND' }, 'frames:'],
    ['POST', '', '', { frames: Array.from({ length: 257 }, () => ({ frame: 'PING', t: 1 })) }, 'frames:'],
    ['POST', '', '', { frames: [], ack: 1.5 }, 'ack:'],
    ['POST', '', '', '{', 'JSON'],
  ])('%s /poll/%s?%s, case %#', async (method, path, query, body, named) => {
    const device = await deviceOf(newUser());
    const { pollId } = (await device.connect()).body;
    const target = path === '' ? pollId : path;
    const answer = await device.ask(method, `/poll/${target}${query === '' ? '' : `?${query}`}`, body);
    expect(answer).toMatchObject({ status: 400, body: { code: 'bad_frame' } });
    expect(answer.body.detail).toContain(named);
    if (path === '') expect((await device.get(pollId, 'waitMs=0')).status).toBe(200);
  });

  test('a body over the limit is refused', async () => {
    const device = await deviceOf(newUser());
    const { pollId } = (await device.connect()).body;
    expect((await device.post(pollId, { frames: ['x'.repeat(300_000)] })).status).toBe(413);
  });

  test('bad frames are answered with ERROR in the list, the good ones beside them are carried out', async () => {
    const device = await deviceOf(newUser());
    const { pollId } = (await device.connect()).body;
    const frames = [7, { frame: 'SEND', chatId: 'c_1' }, { frame: 'PING', t: 5 }, { frame: 'NOD' }];
    const answer = await device.post(pollId, { frames });
    expect(names(answer)).toEqual(['ERROR', 'ERROR', 'PONG', 'ERROR']);
    expect(answer.body.frames[1]).toMatchObject({
      code: 'bad_frame',
      message: 'clientMsgId: must be a UUID',
    });
    // Twenty are abuse, as on a WebSocket.
    await device.post(pollId, { frames: Array.from({ length: 20 }, () => 0) });
    expect((await device.get(pollId, 'waitMs=0')).body.closed?.code ?? 4008).toBe(4008);
    expect((await device.get(pollId, 'waitMs=0')).status).toBe(404);
  });
});

test('a newer poll takes the place of the one that waits, which answers empty', async () => {
  const { a, b, chatId } = await pair();
  const [alice, bob] = [await deviceOf(a), await deviceOf(b)];
  const mine = (await alice.connect()).body.pollId;
  const { pollId, last } = (await bob.connect()).body;
  const older = bob.get(pollId, `waitMs=20000&ack=${last}`);
  await new Promise((resolve) => setTimeout(resolve, 100));
  const newer = bob.get(pollId, `waitMs=20000&ack=${last}`);
  expect((await older).body).toEqual({ frames: [], last });
  await alice.post(mine, { frames: [sendFrame(chatId)] });
  expect(names(await newer)).toEqual(['MESSAGE']);
});

describe('what a response carried and the device did not get', () => {
  test('comes again when the device says what it has', async () => {
    const { a, b, chatId } = await pair();
    const proxy = await startHostileProxy(server.url);
    const alice = await deviceOf(a);
    const bob = await deviceOf(b, 'phone', proxy.url);
    const mine = (await alice.connect()).body.pollId;
    const { pollId, last } = (await bob.connect()).body;
    await alice.post(mine, { frames: [sendFrame(chatId, 'one')] });
    await alice.get(mine, 'waitMs=5000');
    proxy.cuts = () => true;
    await expect(bob.get(pollId, `waitMs=5000&ack=${last}`)).rejects.toThrow();
    await expect(bob.post(pollId, { frames: [{ frame: 'PING', t: 1 }], ack: last })).rejects.toThrow();
    proxy.cuts = () => false;
    const again = await bob.get(pollId, `waitMs=5000&ack=${last}`);
    expect(names(again)).toEqual(['MESSAGE', 'PONG']);
    // And is given up once it says so.
    const next = await bob.get(pollId, `waitMs=0&ack=${again.body.last}`);
    expect(next.body).toEqual({ frames: [], last: again.body.last });
    expect(proxy.seen.cut).toBe(2);
    await proxy.close();
  });

  test('is kept within bounds: a device that never takes its frames is a slow consumer', async () => {
    const small = await startTestServer({ socketBufferBytes: 32 * 1024 });
    const api = asker(await fetchDevToken(small.url, 'u_1', 'phone'), small.url);
    const { chatId } = (await api.ask('POST', '/v1/chats', { kind: 'group', members: [] })).body as never;
    const { pollId, last } = (await api.connect()).body;
    const frames = Array.from({ length: 8 }, () => sendFrame(chatId, 'x'.repeat(6_000)));
    await api.post(pollId, { frames, ack: last });
    await expect.poll(async () => (await api.get(pollId, `waitMs=0&ack=${last}`)).body.frames.length).toBe(8);
    // What is read again goes beside the window, and only the buffer bounds it.
    await api.post(pollId, { frames: [{ frame: 'SYNC', chatId, afterSeq: 0 }], ack: last });
    await expect
      .poll(async () => (await api.get(pollId, `waitMs=1000&ack=${last}`)).body.closed)
      .toMatchObject({ code: 4003 });
    const end = await api.get(pollId, `waitMs=0&ack=${last}`);
    expect(end.body.frames.at(-1)).toMatchObject({ frame: 'GOAWAY', reason: 'slow_consumer' });
    await small.stop();
  });
});

describe('a session ends', () => {
  test('when it is not polled for the time, and its device is gone for the others', async () => {
    const limits = { pollSilence: 3 * SECOND, pollWait: 2 * SECOND, heartbeat: 200 * MILLISECOND };
    const quick = await startTestServer(limits);
    const { a, b, chatId } = await pair(quick);
    const bob = asker(await fetchDevToken(quick.url, b, 'phone'), quick.url);
    const { pollId } = (await bob.connect()).body;
    const alice = await connectRaw({ url: quick.url, user: a, device: 'watcher' });
    alice.send({ frame: 'OPEN', chatId });
    await alice.next((frame) => frame.frame === 'PRESENCE' && frame['status'] === 'ONLINE');
    // Polls keep it alive for longer than that.
    for (let i = 0; i < 4; i++) expect((await bob.get(pollId, 'waitMs=1000')).status).toBe(200);
    await alice.next((frame) => frame.frame === 'PRESENCE' && frame['status'] === 'OFFLINE', 20_000);
    const told = await bob.get(pollId, 'waitMs=0');
    expect(told.body.closed?.code ?? 4004).toBe(4004);
    expect((await bob.get(pollId, 'waitMs=0')).status).toBe(404);
    await alice.close();
    await quick.stop();
  }, 60_000);

  test('when a WebSocket of the device takes over, and the other way round', async () => {
    const user = newUser();
    const device = await deviceOf(user, 'phone');
    const { pollId, last } = (await device.connect()).body;
    const waiting = device.get(pollId, `waitMs=20000&ack=${last}`);
    const socket = await connectRaw({ url: server.url, user, device: 'phone' });
    const told = await waiting;
    expect(told.body.frames[0]).toMatchObject({ frame: 'GOAWAY', reason: 'replaced' });
    expect((await device.get(pollId, `waitMs=0&ack=${told.body.last}`)).body.closed?.code ?? 4001).toBe(4001);
    await device.connect();
    expect(await socket.next(({ frame }) => frame === 'GOAWAY')).toMatchObject({ reason: 'replaced' });
    expect(await socket.closed).toBe(4001);
  });

  test('when its token runs out, at that moment', async () => {
    const user = newUser();
    const body = { userId: user, deviceId: 'phone', expiresInS: 2 };
    const { token } = (await asker('').ask('POST', '/v1/dev/token', body)).body as never;
    const device = asker(token);
    const { pollId, last } = (await device.connect()).body;
    const told = await device.get(pollId, `waitMs=20000&ack=${last}`);
    expect(told.body.frames[0]).toMatchObject({ frame: 'GOAWAY', reason: 'auth_expired' });
    // A fresh token of the device takes what is left.
    const fresh = await deviceOf(user);
    expect((await fresh.get(pollId, `waitMs=0&ack=${told.body.last}`)).body.closed?.code ?? 4005).toBe(4005);
    expect((await fresh.get(pollId, `waitMs=0&ack=${told.body.last}`)).status).toBe(404);
  });

  test('when the device says so', async () => {
    const device = await deviceOf(newUser());
    const { pollId } = (await device.connect()).body;
    const waiting = device.get(pollId, 'waitMs=20000');
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect((await device.ask('DELETE', `/poll/${pollId}`)).status).toBe(204);
    expect((await waiting).body).toMatchObject({ frames: [], closed: { code: 1000 } });
    expect((await device.get(pollId, 'waitMs=0')).status).toBe(404);
  });

  test('when the gateway drains: GOAWAY, served until it leaves, and nobody new', async () => {
    const other = await startTestServer({ drainSpread: 1 * SECOND, drainTimeout: 2 * SECOND });
    const device = asker(await fetchDevToken(other.url, 'u_1', 'phone'), other.url);
    const { pollId, last } = (await device.connect()).body;
    const waiting = device.get(pollId, `waitMs=20000&ack=${last}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
    const stopped = other.stop();
    expect((await waiting).body.frames).toMatchObject([{ frame: 'GOAWAY', reason: 'drain' }]);
    expect(names(await device.post(pollId, { frames: [{ frame: 'PING', t: 1 }], ack: last + 1 }))).toEqual([
      'PONG',
    ]);
    expect(await device.connect()).toMatchObject({ status: 503, body: { code: 'unavailable' } });
    const end = await device.get(pollId, `waitMs=20000&ack=${last + 2}`);
    expect(end.body.closed).toMatchObject({ code: 1001 });
    await stopped;
  });
});
