import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { deviceId, userId } from '../../core/contract/ids.ts';
import { DEFAULT_LIMITS, type Limits } from '../../core/contract/limits.ts';
import { MINUTE } from '../../core/contract/time.ts';
import { createDevelopmentTokens } from '../gateway/development-tokens.ts';
import { createLogger } from '../observability/logger.ts';
import { createMetrics } from '../observability/metrics.ts';
import { createHttpServer } from './http-server.ts';
import type { Route } from './router.ts';

/** How often an address and a user may ask, as the core decides and the server carries out. */

const tokens = createDevelopmentTokens(new Uint8Array(32).fill(1));
const tokenOf = (user: number): Promise<string> =>
  tokens.issue({ userId: userId(`u_${user}`), deviceId: deviceId('d_1') });
let server: Server | undefined;
afterEach(() => server?.close());

async function start(limits: Partial<Limits>): Promise<string> {
  const routes: readonly Route[] = [
    { method: 'GET', path: '/mine', auth: 'bearer', handle: () => ({ status: 204 }) },
    { method: 'GET', path: '/open', auth: 'none', handle: () => ({ status: 204 }) },
  ];
  const made = createHttpServer({
    metrics: createMetrics(false),
    log: createLogger('silent', 'test'),
    api: () => ({ routes, verifier: tokens, starting: false }),
    trustProxy: true,
    limits: { ...DEFAULT_LIMITS, ...limits },
  });
  server = made;
  await new Promise<void>((resolve) => made.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(made.address() as AddressInfo).port}`;
}

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
