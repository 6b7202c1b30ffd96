import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { SignJWT, UnsecuredJWT, generateKeyPair } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { deviceId, userId } from '../../core/contract/ids.ts';
import { startTestServer, type TestServer } from './test-server.ts';

/** Who may connect: the table of tokens, over both doors. */

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.stop());

const now = (): number => Math.floor(Date.now() / 1_000);
const alice = { userId: userId('u_1'), deviceId: deviceId('d_1') };

/** A token with everything right but the key; `change` makes one more thing wrong. */
function signed(
  key: Uint8Array,
  change: (jwt: SignJWT) => SignJWT = (jwt) => jwt,
  alg = 'HS256',
): Promise<string> {
  const jwt = new SignJWT({ did: 'd_1' }).setProtectedHeader({ alg }).setSubject('u_1').setAudience('parley');
  return change(jwt.setIssuedAt().setExpirationTime('1h')).sign(key);
}

interface Refusal {
  readonly status: number | undefined;
  readonly type: string | undefined;
  readonly body: Record<string, unknown>;
}

/** Tries to upgrade. @returns the HTTP answer, or status 101. */
function upgrade(headers: Record<string, string>, path = '/ws/connect'): Promise<Refusal> {
  return new Promise((resolve, reject) => {
    const asked = request(`${server.url}${path}`, {
      headers: {
        connection: 'Upgrade',
        upgrade: 'websocket',
        'sec-websocket-version': '13',
        'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
        ...headers,
      },
    });
    asked.on('upgrade', (_response, socket) => {
      socket.destroy();
      resolve({ status: 101, type: undefined, body: {} });
    });
    asked.on('response', (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      response.on('end', () => {
        resolve({
          status: response.statusCode,
          type: response.headers['content-type'],
          body: JSON.parse(text) as Record<string, unknown>,
        });
      });
    });
    asked.on('error', reject);
    asked.end();
  });
}

const bearer = (token: string): Record<string, string> => ({ authorization: `Bearer ${token}` });

describe('a good token', () => {
  test('opens a connection by header', async () => {
    expect((await upgrade(bearer(await server.tokens.issue(alice)))).status).toBe(101);
  });
  test('opens a connection by subprotocol, as browsers do', async () => {
    const token = await server.tokens.issue(alice);
    expect((await upgrade({ 'sec-websocket-protocol': `parley.v1, bearer.${token}` })).status).toBe(101);
  });
  test('is not looked for in the query string', async () => {
    const token = await server.tokens.issue(alice);
    expect((await upgrade({}, `/ws/connect?token=${token}&access_token=${token}`)).status).toBe(401);
  });
  test('without the protocol of the frames is told to offer it', async () => {
    const token = await server.tokens.issue(alice);
    expect((await upgrade({ 'sec-websocket-protocol': `bearer.${token}` })).status).toBe(400);
  });
});

describe('a bad token is refused with 401 and a problem document, and nothing is upgraded', () => {
  const other = new Uint8Array(32).fill(7);
  const table: readonly (readonly [string, () => Promise<string> | string])[] = [
    ['missing', () => ''],
    ['not a JWT', () => 'hello'],
    ['expired', () => server.tokens.issue(alice, -3_600)],
    ['signed with another secret', () => signed(other)],
    ['signed with a secret of zeros', () => signed(new Uint8Array(32))],
    ['signed with an empty secret', () => forgedHmac('')],
    ['signed with the word secret', () => forgedHmac('secret')],
    [
      'alg none',
      () =>
        new UnsecuredJWT({ did: 'd_1' })
          .setSubject('u_1')
          .setAudience('parley')
          .setIssuedAt()
          .setExpirationTime('1h')
          .encode(),
    ],
    ['another algorithm', () => signed(new Uint8Array(64).fill(7), undefined, 'HS512')],
    [
      'a key of another kind',
      async () => {
        const { privateKey } = await generateKeyPair('ES256');
        return new SignJWT({ did: 'd_1' })
          .setProtectedHeader({ alg: 'ES256' })
          .setSubject('u_1')
          .setAudience('parley')
          .setIssuedAt()
          .setExpirationTime('1h')
          .sign(privateKey);
      },
    ],
    ['changed after it was signed', async () => cutClaim(await server.tokens.issue(alice), 'exp')],
    ['for another audience', () => ownSigned({ aud: 'elsewhere' })],
    ['for no audience', () => ownSigned({ aud: undefined })],
    ['without exp', () => ownSigned({ exp: undefined })],
    ['without iat', () => ownSigned({ iat: undefined })],
    ['from the future', () => ownSigned({ iat: now() + 3_600, exp: now() + 7_200 })],
    ['without a user', () => ownSigned({ sub: undefined })],
    ['without a device', () => ownSigned({ did: undefined })],
    ['with a device of another type', () => ownSigned({ did: 7 })],
    ['of an algorithm that is not accepted, signed with the right secret', () => ownSigned({}, 'HS384')],
    ['a user that is not an id', () => server.tokens.issue({ ...alice, userId: userId('alice') })],
    ['a device that is not an id', () => server.tokens.issue({ ...alice, deviceId: deviceId('phone') })],
    [
      'an id beyond 63 bits',
      () => server.tokens.issue({ ...alice, userId: userId('u_9223372036854775808') }),
    ],
  ];
  test.each(table)('%s', async (_name, make) => {
    const token = await make();
    const headers: Record<string, string> = token === '' ? {} : bearer(token);
    const answer = await upgrade(headers);
    expect(answer.status).toBe(401);
    expect(answer.type).toBe('application/problem+json');
    expect(answer.body).toMatchObject({ code: 'unauthenticated', status: 401, retryable: false });
    // Who is refused learns why, and never sees his token again.
    if (token !== '') expect(JSON.stringify(answer.body)).not.toContain(token);
    const api = await fetch(`${server.url}/v1/chats`, { headers });
    expect(api.status).toBe(401);
    expect(api.headers.get('content-type')).toBe('application/problem+json');
  });
});

test('a plain request tells a browser whether its token was the reason', async () => {
  const good = await fetch(`${server.url}/ws/connect`, { headers: bearer(await server.tokens.issue(alice)) });
  const bad = await fetch(`${server.url}/ws/connect`, { headers: bearer('x.y.z') });
  expect([good.status, bad.status]).toEqual([426, 401]);
});

test('another path is not upgraded', async () => {
  expect((await upgrade(bearer(await server.tokens.issue(alice)), '/elsewhere')).status).toBe(404);
});

/** Signed with the server's own secret: only the claims are wrong. */
function ownSigned(claims: Record<string, unknown>, alg = 'HS256'): Promise<string> {
  const secret = Buffer.from(readFileSync(join(server.dataDir, 'development-secret'), 'utf8'), 'hex');
  const all = { sub: 'u_1', did: 'd_1', aud: 'parley', iat: now(), exp: now() + 3_600, ...claims };
  return new SignJWT(JSON.parse(JSON.stringify(all)) as Record<string, unknown>)
    .setProtectedHeader({ alg })
    .sign(secret);
}

/** Signs with a key that a library would refuse. */
function forgedHmac(secret: string): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const head = `${part({ alg: 'HS256' })}.${part({ sub: 'u_1', did: 'd_1', aud: 'parley', iat: now(), exp: now() + 3_600 })}`;
  return `${head}.${createHmac('sha256', secret).update(head).digest('base64url')}`;
}

/** Takes a claim out and keeps the old signature: also a forgery. */
function cutClaim(token: string, claim: string): string {
  const [head, payload, signature] = token.split('.') as [string, string, string];
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as Record<string, unknown>;
  delete claims[claim];
  return `${head}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.${signature}`;
}
