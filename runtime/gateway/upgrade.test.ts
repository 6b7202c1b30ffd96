import { connect, type AddressInfo, type Socket } from 'node:net';
import type { Server } from 'node:http';
import { afterEach, expect, test } from 'vitest';
import { DEFAULT_LIMITS } from '../../core/contract/limits.ts';
import { MINUTE } from '../../core/contract/time.ts';
import { createHttpServer } from '../http-api/http-server.ts';
import { createRequestAdmission } from '../http-api/request-admission.ts';
import type { Route } from '../http-api/router.ts';
import { createLogger } from '../observability/logger.ts';
import { createMetrics } from '../observability/metrics.ts';
import type { TokenVerifier, Verification } from '../ports/token-verifier.ts';
import { closeHttp } from '../server/http-listener.ts';
import { serveUpgrades, type Upgrades } from './upgrade.ts';

/** What an upgrade is, and what is left of one that was refused: looked at from a bare socket, which forgives nothing. */

interface Door {
  readonly http: Server;
  readonly upgrades: Upgrades;
  readonly port: number;
}

let door: Door | undefined;
const peers: Socket[] = [];
afterEach(async () => {
  for (const peer of peers.splice(0)) peer.destroy();
  if (door !== undefined) await closeHttp(door.http, () => door?.upgrades.cutAll());
  door = undefined;
});

async function open(verify: () => Promise<Verification>): Promise<Door> {
  const log = createLogger('silent', 'test');
  const metrics = createMetrics(false);
  const admission = createRequestAdmission({
    ...DEFAULT_LIMITS,
    httpAddressBurst: 3,
    httpAddressInterval: MINUTE,
  });
  const shared = { metrics, log, trustProxy: true, limits: DEFAULT_LIMITS, admission };
  const verifier: TokenVerifier = { verify: () => verify() };
  const routes: readonly Route[] = [
    { method: 'GET', path: '/open', auth: 'none', handle: () => ({ status: 204 }) },
    { method: 'GET', path: '/mine', auth: 'bearer', handle: () => ({ status: 204 }) },
  ];
  const http = createHttpServer({ ...shared, api: () => ({ routes, verifier, starting: false }) });
  const upgrades = serveUpgrades(http, {
    ...shared,
    verifier,
    unavailable: () => undefined,
    accept: () => undefined,
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  door = { http, upgrades, port: (http.address() as AddressInfo).port };
  return door;
}

const UPGRADE = [
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
];

/** A peer that never closes its half of a connection. @returns it, and the first line that it is answered. */
async function ask(port: number, path: string, headers: readonly string[]) {
  const peer = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  peers.push(peer);
  peer.on('error', () => undefined);
  peer.write([`GET ${path} HTTP/1.1`, 'Host: x', ...headers, '', ''].join('\r\n'));
  const line = await new Promise<string>((resolve) => {
    peer.once('data', (chunk: Buffer) => resolve(chunk.toString('latin1').split('\r\n', 1)[0] as string));
  });
  return { peer, line };
}

const connections = ({ http }: Door): Promise<number> =>
  new Promise((resolve, reject) =>
    http.getConnections((error, count) => (error === null ? resolve(count) : reject(error))),
  );

test('a refused peer that never closes its half is cut', async () => {
  const made = await open(() => Promise.resolve({ ok: false, detail: 'no' }));
  const { line } = await ask(made.port, '/ws/connect', UPGRADE);
  expect(line).toBe('HTTP/1.1 401 A valid token is needed');
  await expect.poll(() => connections(made), { timeout: 5_000 }).toBe(0);
});

test('the port is closed although a peer is still being looked at', async () => {
  const asked = Promise.withResolvers<void>();
  const made = await open(() => {
    asked.resolve();
    return new Promise(() => undefined);
  });
  ask(made.port, '/ws/connect', UPGRADE).catch(() => undefined);
  await asked.promise;
  await closeHttp(made.http, () => made.upgrades.cutAll());
  expect(await connections(made)).toBe(0);
});

test('who may have a good token is told to come back, by every door: 401 would log his device out', async () => {
  const { port } = await open(() => Promise.resolve({ ok: false, detail: 'no keys', retryAfterMs: 1_500 }));
  expect((await ask(port, '/ws/connect', UPGRADE)).line).toBe('HTTP/1.1 503 The server cannot answer now');
  for (const path of ['/mine', '/ws/connect']) {
    const answer = await fetch(`http://127.0.0.1:${port}${path}`);
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '2']);
    expect(await answer.json()).toMatchObject({ code: 'unavailable', retryable: true, retryAfterMs: 1_500 });
  }
});

test('an address that connects too often is refused before its tokens are looked at', async () => {
  let looked = 0;
  const { port } = await open(() => {
    looked++;
    return Promise.resolve({ ok: false, detail: 'no' });
  });
  const from = [...UPGRADE, 'X-Forwarded-For: 203.0.113.7'];
  for (let i = 0; i < 3; i++) expect((await ask(port, '/ws/connect', from)).line).toContain(' 401 ');
  expect((await ask(port, '/ws/connect', from)).line).toBe('HTTP/1.1 429 Too many requests');
  expect(looked).toBe(3);
});

test.each([
  ['of another protocol', '/open', ['Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c'], '204 No Content'],
  ['of a WebSocket elsewhere', '/open', UPGRADE, '204 No Content'],
  ['to a path that is not there', '/elsewhere', UPGRADE, '404 Not Found'],
  [
    'of another protocol where devices connect',
    '/ws/connect',
    ['Connection: Upgrade', 'Upgrade: h2c'],
    '401 Unauthorized',
  ],
])('an upgrade %s is a plain request', async (_name, path, headers, answer) => {
  const { port } = await open(() => Promise.resolve({ ok: false, detail: 'no' }));
  expect((await ask(port, path, headers)).line).toBe(`HTTP/1.1 ${answer}`);
});
