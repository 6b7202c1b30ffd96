import { request, type Server } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, test, vi } from 'vitest';
import { deviceId, userId } from '../../core/contract/ids.ts';
import { DEFAULT_LIMITS, type Limits } from '../../core/contract/limits.ts';
import { MINUTE } from '../../core/contract/time.ts';
import { createDevelopmentTokens } from '../gateway/development-tokens.ts';
import { createLogger } from '../observability/logger.ts';
import { createMetrics } from '../observability/metrics.ts';
import type { TokenVerifier } from '../ports/token-verifier.ts';
import { createHttpServer } from './http-server.ts';
import { createRequestAdmission } from './request-admission.ts';
import type { Route } from './router.ts';

/** How often an address and a user may ask, as the core decides and the server carries out. */

const tokens = createDevelopmentTokens(new Uint8Array(32).fill(1));
const tokenOf = (user: number): Promise<string> =>
  tokens.issue({ userId: userId(`u_${user}`), deviceId: deviceId('d_1') });
let server: Server | undefined;
/** Requests that wait in `/slow`. */
let held: PromiseWithResolvers<void>[] = [];
afterEach(() => {
  vi.useRealTimers();
  for (const { resolve } of held) resolve();
  held = [];
  server?.close();
});

async function start(
  limits: Partial<Limits>,
  more: { readonly verifier?: TokenVerifier; readonly lines?: string[] } = {},
): Promise<string> {
  const routes: readonly Route[] = [
    { method: 'GET', path: '/mine', auth: 'bearer', handle: () => ({ status: 204 }) },
    { method: 'GET', path: '/open', auth: 'none', handle: () => ({ status: 204 }) },
    {
      method: 'GET',
      path: '/large',
      auth: 'none',
      handle: () => ({ status: 200, json: 'x'.repeat(2 ** 25) }),
    },
    { method: 'GET', path: '/probe', auth: 'none', probe: true, handle: () => ({ status: 204 }) },
    {
      method: 'GET',
      path: '/slow',
      auth: 'bearer',
      async handle() {
        held.push(Promise.withResolvers<void>());
        await held.at(-1)?.promise;
        return { status: 204 };
      },
    },
    {
      method: 'GET',
      path: '/half',
      auth: 'none',
      async stream({ response }) {
        response.writeHead(200, { 'content-length': 10 }).write('half');
        await sleep(10);
        throw new Error('the disk is gone');
      },
    },
  ];
  const made = createHttpServer({
    metrics: createMetrics(false),
    log: createLogger('info', 'test', { write: (line) => void more.lines?.push(line) }),
    api: () => ({ routes, verifier: more.verifier ?? tokens, starting: false }),
    trustProxy: true,
    allowedOrigins: ['https://app.example'],
    admission: createRequestAdmission({ ...DEFAULT_LIMITS, ...limits }),
  });
  server = made;
  await new Promise<void>((resolve) => made.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(made.address() as AddressInfo).port}`;
}

const connections = (): Promise<number> =>
  new Promise((resolve) => server?.getConnections((_error, count) => resolve(count)));

/** @returns status by status of as many requests, one after the other. */
async function ask(url: string, times: number, headers: Record<string, string>): Promise<readonly number[]> {
  const statuses: number[] = [];
  for (let i = 0; i < times; i++) statuses.push((await fetch(url, { headers })).status);
  return statuses;
}

test('a user who asks too often is told when to come back; others, and his address, are not held up', async () => {
  const url = await start({ httpUserBurst: 3, httpUserInterval: 1 * MINUTE });
  const first = { authorization: `Bearer ${await tokenOf(1)}` };
  expect(await ask(`${url}/mine`, 5, first)).toEqual([204, 204, 204, 429, 429]);
  const answer = await fetch(`${url}/mine`, { headers: first });
  expect(answer.headers.get('content-type')).toBe('application/problem+json');
  const problem = (await answer.json()) as Record<string, unknown>;
  expect(problem).toMatchObject({ code: 'rate_limited', retryable: true });
  expect(problem['retryAfterMs']).toBeGreaterThan(0);
  expect(Number(answer.headers.get('retry-after'))).toBe(Math.ceil(Number(problem['retryAfterMs']) / 1_000));
  expect(await ask(`${url}/mine`, 1, { authorization: `Bearer ${await tokenOf(2)}` })).toEqual([204]);
  expect(await ask(`${url}/open`, 5, first)).toEqual([204, 204, 204, 204, 204]);
});

test('an address that asks too often is refused before its token is looked at; this machine is not', async () => {
  const url = await start({ httpAddressBurst: 2, httpAddressInterval: 1 * MINUTE });
  const from = (address: string) => ({ 'x-forwarded-for': address, authorization: 'Bearer nonsense' });
  expect(await ask(`${url}/mine`, 4, from('203.0.113.7'))).toEqual([401, 401, 429, 429]);
  expect(await ask(`${url}/mine`, 1, from('203.0.113.8'))).toEqual([401]);
  expect(await ask(`${url}/open`, 5, from('127.0.0.1'))).toEqual([204, 204, 204, 204, 204]);
});

test('probes are answered, however much their address asks', async () => {
  const url = await start({ httpAddressBurst: 1, httpAddressInterval: 1 * MINUTE });
  const headers = { 'x-forwarded-for': '203.0.113.7' };
  expect(await ask(`${url}/open`, 2, headers)).toEqual([204, 429]);
  expect(await ask(`${url}/probe`, 2, headers)).toEqual([204, 204]);
});

test('a user has so many requests under way, and room again when one has ended or its peer has left', async () => {
  const url = await start({ httpUserRequests: 2 });
  const headers = { authorization: `Bearer ${await tokenOf(1)}` };
  const first = fetch(`${url}/slow`, { headers });
  const leaver = new AbortController();
  fetch(`${url}/slow`, { headers, signal: leaver.signal }).catch(() => undefined);
  await expect.poll(() => held.length).toBe(2);
  expect(await ask(`${url}/mine`, 1, headers)).toEqual([429]);
  leaver.abort();
  await expect.poll(async () => (await ask(`${url}/mine`, 1, headers))[0]).toBe(204);
  held[0]?.resolve();
  expect((await first).status).toBe(204);
});

test('a peer that leaves while its token is looked at is no defect of the server’s', async () => {
  const [asked, checked] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const lines: string[] = [];
  const verifier: TokenVerifier = {
    async verify(token) {
      asked.resolve();
      await checked.promise;
      return tokens.verify(token);
    },
  };
  const url = await start({}, { verifier, lines });
  const peer = connect(Number(new URL(url).port), '127.0.0.1');
  peer.write(`GET /mine HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${await tokenOf(1)}\r\n\r\n`);
  await asked.promise;
  peer.destroy();
  await expect.poll(connections).toBe(0);
  checked.resolve();
  await ask(`${url}/open`, 1, {});
  expect(lines).toEqual([]);
});

test('a target that names nothing is a bad request, and no defect', async () => {
  const { port } = new URL(await start({}));
  const status = await new Promise((resolve) =>
    request({ port, path: '//', host: '127.0.0.1' }, (answer) => resolve(answer.resume().statusCode)).end(),
  );
  expect(status).toBe(400);
});

test('an answer that cannot be completed is cut, and the server goes on', async () => {
  const url = await start({});
  await expect(fetch(`${url}/half`).then((answer) => answer.text())).rejects.toThrow();
  expect(await ask(`${url}/open`, 1, {})).toEqual([204]);
});

test('a peer that does not take its answer is cut, and the answer with it', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const { port } = new URL(await start({}));
  const peer = connect(Number(port), '127.0.0.1').pause();
  peer.write('GET /large HTTP/1.1\r\nHost: x\r\n\r\n');
  await expect.poll(() => vi.getTimerCount()).toBe(1);
  expect(await connections()).toBe(1);
  vi.advanceTimersByTime(60_000);
  await expect.poll(connections).toBe(0);
  peer.destroy();
});

test('a page of an origin that is allowed may call, also to read why it was refused; others may not', async () => {
  const url = await start({});
  const preflight = (origin: string) =>
    fetch(`${url}/mine`, {
      method: 'OPTIONS',
      headers: {
        origin,
        'access-control-request-method': 'GET',
        'access-control-request-headers': 'authorization',
      },
    });
  const asked = await preflight('https://app.example');
  expect([asked.status, asked.headers.get('access-control-allow-origin')]).toEqual([
    204,
    'https://app.example',
  ]);
  expect(asked.headers.get('access-control-allow-headers')).toContain('authorization');
  const refused = await fetch(`${url}/mine`, { headers: { origin: 'https://app.example' } });
  expect([refused.status, refused.headers.get('access-control-allow-origin')]).toEqual([
    401,
    'https://app.example',
  ]);
  const other = await preflight('https://app.example.evil');
  expect([other.status, other.headers.get('access-control-allow-origin')]).toEqual([405, null]);
  expect(other.headers.get('vary')).toBe('origin');
});
