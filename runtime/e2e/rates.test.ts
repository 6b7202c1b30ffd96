import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ChatId, UserId } from '../../core/contract/ids.ts';
import { MILLISECOND, MINUTE } from '../../core/contract/time.ts';
import { createHttpCalls, type HttpCalls } from '../client/http-calls.ts';
import type { RawDevice, WireFrame } from './frame-log.ts';
import { createFleetDevice } from './fleet.ts';
import { connectRaw, fetchDevToken, openRaw } from './raw-device.ts';
import { startTestServer, type TestServer } from './test-server.ts';

/** Who is too fast is told so and for how long; what he waits with arrives, once and in order; nobody else notices. */

const BURST = 5;
const CONNECTS = 8;
const REQUESTS = 100;
const REFUSALS = 40;

let server: TestServer;
const open: RawDevice[] = [];
let lastUser = 700;

beforeAll(async () => {
  server = await startTestServer({
    deviceSendInterval: 100 * MILLISECOND,
    deviceSendBurst: BURST,
    ratePause: 200 * MILLISECOND,
    rateRefusals: REFUSALS,
    userConnectInterval: 1 * MINUTE,
    userConnectBurst: CONNECTS,
    httpUserInterval: 100 * MILLISECOND,
    httpUserBurst: REQUESTS,
    // Not what is tested here: how many of one user are under way at once.
    httpUserRequests: 2 * REQUESTS,
  });
});
afterAll(async () => {
  await Promise.all(open.map((device) => device.close()));
  await server?.stop();
});

const newUser = (): UserId => `u_${++lastUser}` as UserId;
const kept = <Device extends RawDevice>(device: Device): Device => {
  open.push(device);
  return device;
};
/** Rates hold at each gateway: one user's requests all go to one of them. */
const api = (url: string, user: string): HttpCalls =>
  createHttpCalls(url, () => fetchDevToken(url, user, 'api'));
const sendFrame = (chatId: ChatId, clientMsgId: string, text: string) => ({
  frame: 'SEND',
  clientMsgId,
  chatId,
  ciphertext: Buffer.from(text).toString('base64'),
  mediaIds: [],
});
const answerTo =
  (clientMsgId: string) =>
  (frame: WireFrame): boolean =>
    (frame.frame === 'ACK' || frame.frame === 'ERROR') && frame['clientMsgId'] === clientMsgId;
const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Two who write to each other at a pace that nobody minds, and what they were refused. */
async function neighbours(url: string): Promise<{ talk(): Promise<void>; readonly refused: number }> {
  const [a, b] = [newUser(), newUser()];
  const { chatId } = await api(url, a).createChat('direct', [b]);
  const from = kept(await connectRaw({ url, user: a }));
  const to = kept(await connectRaw({ url, user: b }));
  return {
    async talk() {
      const id = crypto.randomUUID();
      from.send(sendFrame(chatId, id, 'hello'));
      const ack = await from.next(answerTo(id));
      expect(ack).toMatchObject({ frame: 'ACK' });
      await to.next(({ frame, serverMsgId }) => frame === 'MESSAGE' && serverMsgId === ack['serverMsgId']);
    },
    get refused() {
      return [...from.frames, ...to.frames].filter(({ frame }) => frame === 'ERROR').length;
    },
  };
}

test('sends beyond the burst are refused with the time to wait, and taken after it; a neighbour is undisturbed', async () => {
  const { url } = server;
  const others = await neighbours(url);
  const [user, peer] = [newUser(), newUser()];
  const { chatId } = await api(url, user).createChat('direct', [peer]);
  const device = kept(await connectRaw({ url, user }));
  const ids = Array.from({ length: BURST + 3 }, () => crypto.randomUUID() as string);
  for (const [i, id] of ids.entries()) device.send(sendFrame(chatId, id, `text ${i}`));
  await others.talk();
  const answers = await Promise.all(ids.map((id) => device.next(answerTo(id))));
  const refused = ids.filter((_, i) => answers[i]?.frame === 'ERROR');
  expect(refused.length).toBeGreaterThan(0);
  // Once one is refused, so are those behind it: the order is the sender's.
  expect(refused).toEqual(ids.slice(-refused.length));
  for (let waiting = refused; waiting.length > 0; ) {
    const errors = answers.splice(0).filter(({ frame }) => frame === 'ERROR');
    const pauses = errors.map((error) => {
      expect(error).toMatchObject({ code: 'rate_limited', retryAfterMs: expect.any(Number) as unknown });
      return Number(error['retryAfterMs']);
    });
    expect(Math.min(...pauses)).toBeGreaterThan(0);
    await sleep(Math.max(...pauses));
    for (const id of waiting) device.send(sendFrame(chatId, id, `text ${ids.indexOf(id)}`));
    answers.push(...(await Promise.all(waiting.map((id) => device.next(answerTo(id))))));
    waiting = waiting.filter((_, i) => answers[i]?.frame === 'ERROR');
  }
  const { messages } = await api(url, peer).history(chatId, 0, 100);
  const texts = messages.map(({ ciphertext }) => Buffer.from(ciphertext, 'base64').toString());
  expect(texts).toEqual(ids.map((_, i) => `text ${i}`));
  await others.talk();
  expect(others.refused).toBe(0);
});

test('a device of the library that writes in bursts waits by itself: all of it arrives, once and in order', async () => {
  const { url } = server;
  const others = await neighbours(url);
  const [writer, reader] = [++lastUser, ++lastUser];
  const shown: string[] = [];
  const from = await createFleetDevice({ url, user: writer, device: writer });
  const to = await createFleetDevice({
    url,
    user: reader,
    device: reader,
    onEffect(effect) {
      if (effect.kind === 'show') shown.push(effect.message.ciphertext);
    },
  });
  const { chatId } = await from.http.createChat('direct', [to.userId]);
  const sent: string[] = [];
  from.start();
  to.start();
  await expect.poll(() => [from.status, to.status]).toEqual(['live', 'live']);
  for (let i = 0; i < 4 * BURST; i++) sent.push(from.send(chatId));
  await others.talk();
  await expect.poll(() => shown.length, { timeout: 15_000 }).toBe(sent.length);
  expect(from.waiting).toBe(0);
  const { messages } = await to.http.history(chatId, 0, 100);
  expect(messages.map(({ ciphertext }) => ciphertext)).toEqual(shown);
  expect(others.refused).toBe(0);
  await Promise.all([from.stop(), to.stop()]);
});

test('who is refused and never waits is cut off with 4008, and nobody else', async () => {
  const { url } = server;
  const others = await neighbours(url);
  const [user, peer] = [newUser(), newUser()];
  const { chatId } = await api(url, user).createChat('direct', [peer]);
  const device = kept(await connectRaw({ url, user }));
  for (let i = 0; i < 4 * REFUSALS; i++) device.send(sendFrame(chatId, crypto.randomUUID(), 'now!'));
  expect(await device.closed).toBe(4008);
  await others.talk();
  expect(others.refused).toBe(0);
});

test('connections of one user beyond the limit are refused, those of another are taken', async () => {
  const { url } = server;
  const [user, other] = [newUser(), newUser()];
  const outcomes: (number | 'live')[] = [];
  for (let i = 0; i < CONNECTS + 3; i++) {
    const raw = kept(openRaw(url, await fetchDevToken(url, user, `device-${i}`)));
    const refused = new Promise<number>((resolve) => {
      raw.socket.on('error', () => undefined);
      raw.socket.on('unexpected-response', (_request, response) => resolve(response.statusCode ?? 0));
    });
    const welcome = raw.next(({ frame }) => frame === 'WELCOME').then(() => 'live' as const);
    welcome.catch(() => undefined);
    outcomes.push(await Promise.race([welcome, raw.closed, refused]));
  }
  expect(outcomes.slice(0, CONNECTS)).toEqual(Array.from({ length: CONNECTS }, () => 'live'));
  // Before the upgrade it is an answer, after it a close.
  for (const outcome of outcomes.slice(CONNECTS)) expect([429, 4006]).toContain(outcome);
  kept(await connectRaw({ url, user: other }));
});

test('requests of one user beyond the limit are 429 with the time to wait, those of another are answered', async () => {
  const { url } = server;
  const [user, other] = [newUser(), newUser()];
  const headers = { authorization: `Bearer ${await fetchDevToken(url, user, 'api')}` };
  // Few tokens come back while they are under way.
  const asked = Array.from({ length: 2 * REQUESTS }, () => fetch(`${url}/v1/chats`, { headers }));
  const refused = (await Promise.all(asked)).filter(({ ok }) => !ok);
  expect(refused.length).toBeGreaterThan(0);
  expect(refused.length).toBeLessThanOrEqual(REQUESTS);
  for (const response of refused) {
    expect(response.status).toBe(429);
    const problem = (await response.json()) as { readonly retryAfterMs: number };
    expect(problem).toMatchObject({ code: 'rate_limited', retryable: true });
    expect(problem.retryAfterMs).toBeGreaterThan(0);
  }
  expect(await api(url, other).chats()).toEqual([]);
});
