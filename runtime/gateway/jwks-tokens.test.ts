import { createHmac } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  exportJWK,
  exportSPKI,
  generateKeyPair,
  SignJWT,
  UnsecuredJWT,
  type CryptoKey,
  type JWK,
} from 'jose';
import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createJwksTokens, type JwksOptions } from './jwks-tokens.ts';
import { createKeySet, KeyError } from './key-set.ts';

/** An issuer with a real address, its keys, and everything that somebody else may try. */

const log = pino({ level: 'silent' });
interface Pair {
  readonly kid: string;
  readonly alg: string;
  readonly privateKey: CryptoKey;
  readonly publicKey: CryptoKey;
  readonly jwk: JWK;
}
async function makeKey(alg: string, kid: string): Promise<Pair> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  return { kid, alg, privateKey, publicKey, jwk: { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' } };
}

const pairs = new Map<string, Pair>();
let issuer: Server;
let url: string;
let published: readonly JWK[] = [];
let requests = 0;
let down = false;
beforeAll(async () => {
  for (const alg of ['EdDSA', 'ES256', 'RS256']) pairs.set(alg, await makeKey(alg, alg.toLowerCase()));
  pairs.set('ES384', await makeKey('ES384', 'es384'));
  issuer = createServer((_request, response) => {
    requests++;
    if (down) return void response.writeHead(503).end();
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ keys: published }));
  });
  await new Promise<void>((resolve) => issuer.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(issuer.address() as AddressInfo).port}/keys`;
});
afterAll(() => issuer.close());
beforeEach(() => {
  published = [...pairs.values()].map(({ jwk }) => jwk);
  requests = 0;
  down = false;
});

const pair = (alg: string): Pair => pairs.get(alg) as Pair;
const CLAIMS = { did: 'd_7' };
function sign(
  key: Pair,
  change: (jwt: SignJWT) => SignJWT = (jwt) => jwt,
  header: object = {},
): Promise<string> {
  const jwt = new SignJWT(CLAIMS)
    .setProtectedHeader({ alg: key.alg, kid: key.kid, ...header })
    .setSubject('u_3')
    .setAudience('parley')
    .setIssuer('https://id.example')
    .setIssuedAt()
    .setExpirationTime('1h');
  return change(jwt).sign(key.privateKey);
}
const tokensOf = (more: Partial<JwksOptions> = {}) => createJwksTokens({ source: { url }, log, ...more });

test.each(['EdDSA', 'ES256', 'RS256'])('a token signed with %s is believed', async (alg) => {
  const verification = await tokensOf().verify(await sign(pair(alg)));
  expect(verification).toMatchObject({ ok: true, identity: { userId: 'u_3', deviceId: 'd_7' } });
});

describe('is refused, and its reason names no secret', () => {
  const hmac = (alg: string, kid: string, secret: string): string => {
    const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
    const now = Math.floor(Date.now() / 1_000);
    const claims = { ...CLAIMS, sub: 'u_3', aud: 'parley', iat: now, exp: now + 3_600 };
    const head = `${part({ alg, kid })}.${part(claims)}`;
    return `${head}.${createHmac('sha256', secret).update(head).digest('base64url')}`;
  };
  const table: readonly (readonly [string, () => Promise<string> | string, string])[] = [
    ['nothing', () => '', 'no bearer token'],
    ['no JWT', () => 'a.b.c', 'not a valid JWT'],
    [
      'alg none',
      () =>
        new UnsecuredJWT(CLAIMS)
          .setSubject('u_3')
          .setAudience('parley')
          .setIssuedAt()
          .setExpirationTime('1h')
          .encode(),
      'algorithm',
    ],
    [
      'HS256 with the public key as the secret',
      async () => hmac('HS256', 'rs256', await exportSPKI(pair('RS256').publicKey)),
      'algorithm',
    ],
    [
      'HS256 with the published JWK as the secret',
      () => hmac('HS256', 'rs256', JSON.stringify(pair('RS256').jwk)),
      'algorithm',
    ],
    [
      'RS256 in the header, made with HMAC',
      async () => hmac('RS256', 'rs256', await exportSPKI(pair('RS256').publicKey)),
      'signature',
    ],
    ['an algorithm beside the three', () => sign(pair('ES384')), 'algorithm'],
    ['no kid', () => sign(pair('EdDSA'), undefined, { kid: undefined }), 'kid'],
    [
      'the kid of another key',
      () => sign(pair('ES256'), undefined, { kid: 'eddsa' }),
      'not for its algorithm',
    ],
    [
      'a key that nobody published',
      async () => sign(await makeKey('EdDSA', 'stranger')),
      'not one of the issuer',
    ],
    [
      'a stranger’s key under a published name',
      async () => sign(await makeKey('EdDSA', 'eddsa')),
      'signature',
    ],
    [
      'a key of its own in the header',
      async () => {
        const stranger = await makeKey('EdDSA', 'stranger');
        return sign(stranger, undefined, { jwk: stranger.jwk });
      },
      'not one of the issuer',
    ],
    ['another audience', () => sign(pair('EdDSA'), (jwt) => jwt.setAudience('other')), 'aud'],
    ['another issuer', () => sign(pair('EdDSA'), (jwt) => jwt.setIssuer('https://other.example')), 'iss'],
    ['expired', () => sign(pair('EdDSA'), (jwt) => jwt.setExpirationTime('-1h')), 'expired'],
    ['not yet good', () => sign(pair('EdDSA'), (jwt) => jwt.setNotBefore('1h')), 'nbf'],
    [
      'from the future',
      () => sign(pair('EdDSA'), (jwt) => jwt.setIssuedAt('1h').setExpirationTime('2h')),
      'iat',
    ],
    ['a user that is no id', () => sign(pair('EdDSA'), (jwt) => jwt.setSubject('alice')), 'sub'],
    [
      'critical extensions that nobody knows',
      () =>
        new SignJWT({ ...CLAIMS, sub: 'u_3', aud: 'parley', iss: 'https://id.example' })
          .setProtectedHeader({ alg: 'EdDSA', kid: 'eddsa', crit: ['x'], x: 1 })
          .setIssuedAt()
          .setExpirationTime('1h')
          .sign(pair('EdDSA').privateKey, { crit: { x: true } }),
      'not a valid JWT',
    ],
  ];
  test.each(table)('%s', async (_name, make, reason) => {
    const token = await make();
    const verification = await tokensOf({ issuer: 'https://id.example' }).verify(token);
    expect(verification).toMatchObject({ ok: false, detail: expect.stringContaining(reason) as string });
    if (token.length > 5) expect(JSON.stringify(verification)).not.toContain(token);
  });
});

test('symmetric keys and keys for encryption that an issuer publishes check nothing', async () => {
  const secret = Buffer.alloc(32, 1).toString('base64url');
  published = [
    { kty: 'oct', k: secret, kid: 'shared', alg: 'HS256' },
    { ...pair('RS256').jwk, kid: 'enc', use: 'enc' },
    pair('ES256').jwk,
  ];
  const tokens = tokensOf();
  expect((await tokens.verify(await sign(pair('ES256')))).ok).toBe(true);
  expect((await tokens.verify(await sign({ ...pair('RS256'), kid: 'enc' }))).ok).toBe(false);
});

test('a key that is new is found with one request, whoever asks meanwhile', async () => {
  const tokens = tokensOf({ ages: { fresh: 600_000, stale: 900_000, cooldown: 0 } });
  expect((await tokens.verify(await sign(pair('EdDSA')))).ok).toBe(true);
  expect(requests).toBe(1);
  const next = await makeKey('ES256', 'next');
  published = [...published, next.jwk];
  const token = await sign(next);
  const all = await Promise.all(Array.from({ length: 20 }, () => tokens.verify(token)));
  expect(all.every(({ ok }) => ok)).toBe(true);
  expect(requests).toBe(2);
});

test('invented key ids do not become requests to the issuer', async () => {
  const tokens = tokensOf();
  await tokens.verify(await sign(pair('EdDSA')));
  for (let i = 0; i < 20; i++)
    await tokens.verify(await sign(pair('EdDSA'), undefined, { kid: `invented-${i}` }));
  expect(requests).toBe(1);
});

describe('a token that may be good is not refused for good', () => {
  test('while no keys can be had', async () => {
    down = true;
    const verification = await tokensOf().verify(await sign(pair('EdDSA')));
    expect(verification).toMatchObject({ ok: false, retryAfterMs: expect.any(Number) as number });
  });

  test.each([
    ['damaged', (jwk: JWK) => [{ ...jwk, x: 'AAAA' }]],
    [
      'published twice with different contents',
      (jwk: JWK) => [jwk, { ...pair('RS256').jwk, ...jwk, x: jwk.y }],
    ],
  ])('while its key is %s', async (_name, publish) => {
    published = publish(pair('ES256').jwk) as JWK[];
    const verification = await tokensOf().verify(await sign(pair('ES256')));
    expect(verification).toMatchObject({
      ok: false,
      detail: 'the key of the token (kid) cannot be used as the issuer published it',
      retryAfterMs: expect.any(Number) as number,
    });
  });

  test('while it is too early to read the keys again; then its key is known, or it is refused', async () => {
    const tokens = tokensOf({ ages: { fresh: 600_000, stale: 900_000, cooldown: 200 } });
    await tokens.verify(await sign(pair('EdDSA')));
    const next = await makeKey('ES256', 'next');
    const [good, bad] = [await sign(next), await sign(next, undefined, { kid: 'invented' })];
    for (const token of [good, bad])
      expect(await tokens.verify(token)).toMatchObject({ ok: false, retryAfterMs: 1_000 });
    published = [...published, next.jwk];
    await expect.poll(() => tokens.verify(good)).toMatchObject({ ok: true });
    // Nothing is read for this one: the keys that came meanwhile have said that there is none.
    expect(await tokens.verify(bad)).toEqual({ ok: false, detail: expect.stringContaining('kid') as string });
    expect(requests).toBe(2);
  });

  test.each([
    ['issued', (jwt: SignJWT, at: number) => jwt.setIssuedAt(at)],
    ['valid', (jwt: SignJWT, at: number) => jwt.setNotBefore(at)],
  ])('when it is %s a moment from now, by the clock of the issuer', async (_name, begin) => {
    const now = Math.floor(Date.now() / 1_000);
    const verify = async (at: number) =>
      tokensOf().verify(await sign(pair('ES256'), (jwt) => begin(jwt, at)));
    expect(await verify(now + 3)).toMatchObject({ ok: true });
    expect(await verify(now + 30)).toMatchObject({ ok: false, retryAfterMs: expect.any(Number) as number });
    expect(await verify(now + 600)).not.toHaveProperty('retryAfterMs');
  });
});

test('a file is a key set too, and may be replaced', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'parley-jwks-'));
  const file = join(folder, 'keys.json');
  writeFileSync(file, JSON.stringify({ keys: [pair('EdDSA').jwk] }));
  const tokens = tokensOf({ source: { file }, ages: { fresh: 60_000, stale: 60_000, cooldown: 0 } });
  expect((await tokens.verify(await sign(pair('EdDSA')))).ok).toBe(true);
  expect((await tokens.verify(await sign(pair('ES256')))).ok).toBe(false);
  writeFileSync(file, JSON.stringify({ keys: [pair('ES256').jwk] }));
  expect((await tokens.verify(await sign(pair('ES256')))).ok).toBe(true);
  expect((await tokens.verify(await sign(pair('EdDSA')))).ok).toBe(false);
  expect(requests).toBe(0);
  rmSync(folder, { recursive: true });
});

describe('as time goes by', () => {
  const ages = { fresh: 600, stale: 3_600, cooldown: 10 };
  /** Asks for the key of one kid, at a time of our choosing. */
  async function keySet() {
    let now = 0;
    const keys = createKeySet(
      () => fetch(url).then((answer) => (answer.ok ? answer.json() : Promise.reject(new Error('down')))),
      ages,
      log,
      () => now,
    );
    const has = async (kid: string): Promise<boolean> => {
      const alg = [...pairs.values()].find((each) => each.kid === kid)?.alg ?? 'EdDSA';
      try {
        await keys.keyFor({ alg, kid }, { payload: '', signature: '' });
        return true;
      } catch (error) {
        if (error instanceof KeyError) return false;
        throw error;
      }
    };
    return { has, at: (seconds: number) => (now = seconds), figures: keys.figures };
  }

  test('a key that was taken back is refused once the set is no longer fresh', async () => {
    const { has, at } = await keySet();
    expect(await has('eddsa')).toBe(true);
    published = [pair('ES256').jwk];
    at(299);
    expect(await has('eddsa')).toBe(true);
    at(600);
    expect(await has('eddsa')).toBe(false);
    expect(await has('es256')).toBe(true);
  });

  test('keys are read again before they are old, without anybody waiting', async () => {
    const { has, at } = await keySet();
    await has('eddsa');
    published = [pair('ES256').jwk];
    at(300);
    expect(await has('eddsa')).toBe(true);
    await expect.poll(() => requests).toBe(2);
    await expect.poll(() => has('eddsa')).toBe(false);
  });

  test('an issuer that is away locks nobody out for a while, and is asked now and then', async () => {
    const { has, at, figures } = await keySet();
    await has('eddsa');
    down = true;
    for (let second = 600; second < 3_600; second += 5) {
      at(second);
      expect(await has('eddsa')).toBe(true);
    }
    expect(figures.failed).toBe(300);
    at(3_600);
    expect(await has('eddsa')).toBe(false);
    down = false;
    at(3_611);
    expect(await has('eddsa')).toBe(true);
  });

  test('without ever having read keys nobody is believed', async () => {
    down = true;
    const { has, at } = await keySet();
    expect(await has('eddsa')).toBe(false);
    down = false;
    at(9);
    expect(await has('eddsa')).toBe(false);
    at(10);
    expect(await has('eddsa')).toBe(true);
  });

  test.each([
    ['no key set', { hello: 1 }],
    ['no keys', { keys: [] }],
    ['only keys that cannot check', { keys: [{ kty: 'oct', k: 'AAAA', kid: 'a' }] }],
    ['too many keys', { keys: Array.from({ length: 101 }, (_, i) => ({ kty: 'OKP', kid: `k${i}` })) }],
  ])('%s replaces nothing', async (_name, garbage) => {
    let answer: unknown;
    let now = 0;
    const keys = createKeySet(
      () => Promise.resolve(answer),
      ages,
      log,
      () => now,
    );
    answer = { keys: published };
    const find = () => keys.keyFor({ alg: 'EdDSA', kid: 'eddsa' }, { payload: '', signature: '' });
    await find();
    answer = garbage;
    now = 700;
    await find();
    expect(keys.figures).toEqual({ read: 1, failed: 1 });
  });
});
