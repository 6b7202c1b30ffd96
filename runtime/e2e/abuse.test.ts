import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createHttpCalls } from '../client/http-calls.ts';
import type { UserId } from '../../core/contract/ids.ts';
import { DEFAULT_LIMITS } from '../../core/contract/limits.ts';
import type { RawDevice } from './frame-log.ts';
import { connectRaw, fetchDevToken, openRaw } from './raw-device.ts';
import { startTestServer, sumOfMetric, type TestServer } from './test-server.ts';

/** Whatever one connection does, the others go on, and the server's memory has a bound. */

const A = 'u_601' as UserId;
const B = 'u_602' as UserId;

/** Less than one page of large messages. */
const SOCKET_BUFFER = 128 * 1024;

let server: TestServer;
let chatId: string;
let good: RawDevice;
let friend: RawDevice;

beforeAll(async () => {
  server = await startTestServer({ badFrames: 1_000_000, socketBufferBytes: SOCKET_BUFFER });
  ({ chatId } = await createHttpCalls(server.url, () => fetchDevToken(server.url, A)).createChat('direct', [
    B,
  ]));
  good = await connectRaw({ url: server.url, user: A, device: 'good' });
  friend = await connectRaw({ url: server.url, user: B, device: 'friend' });
});
afterAll(async () => {
  await Promise.all([good.close(), friend.close()]);
  await server.stop();
});

/** The two who behave still reach each other. */
async function stillServed(): Promise<void> {
  const clientMsgId = crypto.randomUUID();
  good.send({ frame: 'SEND', clientMsgId, chatId, ciphertext: 'aGk=', mediaIds: [] });
  const ack = await good.next((frame) => frame.frame === 'ACK' && frame['clientMsgId'] === clientMsgId);
  const message = await friend.next(
    (frame) => frame.frame === 'MESSAGE' && frame['serverMsgId'] === ack['serverMsgId'],
  );
  friend.send({ frame: 'RECEIPT', chatId, serverMsgId: message['serverMsgId'], type: 'DELIVERED' });
}

const nameArbitrary = fc.constantFrom(
  'SEND',
  'RECEIPT',
  'RESUME',
  'OPEN',
  'CLOSE',
  'TYPING',
  'SYNC',
  'PING',
  'PONG',
  'ACK',
  'nonsense',
);
const frameArbitrary = fc.oneof(
  fc.string({ maxLength: 200 }),
  fc.json(),
  fc
    .dictionary(
      fc.constantFrom(
        'chatId',
        'clientMsgId',
        'ciphertext',
        'mediaIds',
        'cursors',
        'afterSeq',
        'limit',
        't',
        'type',
        '__proto__',
      ),
      fc.jsonValue(),
    )
    .chain((fields) => nameArbitrary.map((frame) => JSON.stringify({ ...fields, frame }))),
  nameArbitrary.map((frame) => `{"frame":"${frame}"`),
);

test('malformed frames are answered or ignored, and disturb nobody else', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(frameArbitrary, { minLength: 1, maxLength: 30 }), async (frames) => {
      const bad = await connectRaw({ url: server.url, user: 'u_603', device: 'bad', cursors: {} });
      for (const frame of frames) bad.send(frame);
      bad.send({ frame: 'PING', t: 4_711 });
      await bad.next((frame) => frame.frame === 'PONG' && frame['t'] === 4_711);
      for (const frame of bad.frames)
        if (frame.frame === 'ERROR') expect(frame).toMatchObject({ message: expect.any(String) as unknown });
      await bad.close();
      await stillServed();
    }),
    { numRuns: 60, seed: 20_260_101, plugins: [fc.interruptAfterTimeLimit(25_000)] },
  );
}, 60_000);

test('a binary frame closes with 1003, a frame over the limit with 1009', async () => {
  const binary = await connectRaw({ url: server.url, user: 'u_604', device: 'binary' });
  binary.socket.send(Buffer.from([1, 2, 3]));
  expect(await binary.closed).toBe(1003);
  const big = await connectRaw({ url: server.url, user: 'u_604', device: 'big' });
  big.send('x'.repeat(DEFAULT_LIMITS.frameBytes + 1));
  expect(await big.closed).toBe(1009);
  await stillServed();
});

test('an error names the field', async () => {
  const raw = await connectRaw({ url: server.url, user: 'u_605', device: 'wrong' });
  raw.send({ frame: 'SYNC', chatId: 'c_1', afterSeq: -1 });
  expect(await raw.next(({ frame }) => frame === 'ERROR')).toMatchObject({
    code: 'bad_frame',
    message: expect.stringContaining('afterSeq') as unknown,
  });
  await raw.close();
});

test('a connection that is cut in the middle of an upgrade does no harm', async () => {
  const token = await fetchDevToken(server.url, 'u_606');
  for (let i = 0; i < 50; i++)
    openRaw(server.url, token)
      .socket.on('error', () => undefined)
      .terminate();
  await stillServed();
});

test('a device that stops reading is cut off, and what waited for it is not kept', async () => {
  const slow = await connectRaw({ url: server.url, user: B, device: 'slow' });
  slow.socket.pause();
  const before = await bufferedMetrics();
  // Each SYNC is answered by a page that nobody takes.
  const filler = { frame: 'SYNC', chatId, afterSeq: 0, limit: 256 };
  const bytes = 'x'.repeat(32 * 1024);
  for (let i = 0; i < 20; i++) {
    good.send({
      frame: 'SEND',
      clientMsgId: crypto.randomUUID(),
      chatId,
      ciphertext: Buffer.from(bytes).toString('base64'),
      mediaIds: [],
    });
  }
  const deadline = performance.now() + 20_000;
  while (
    slow.socket.readyState === slow.socket.OPEN &&
    performance.now() < deadline &&
    (await closedSlow()) === 0
  ) {
    if (slow.socket.readyState === slow.socket.OPEN) slow.send(filler);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  expect(await closedSlow()).toBeGreaterThan(0);
  const after = await bufferedMetrics();
  // A page is a quarter of a megabyte, and the test's own sockets hold a few more. Unbounded, hundreds of pages would wait.
  expect(after - before).toBeLessThan(64 * 1024 * 1024);
  await stillServed();
  slow.socket.terminate();
}, 40_000);

const closedSlow = (): Promise<number> =>
  sumOfMetric(server, /^parley_connections_closed_total\{code="4003"\} (\d+)/m);
const bufferedMetrics = (): Promise<number> => sumOfMetric(server, /^process_resident_memory_bytes (\d+)/m);
