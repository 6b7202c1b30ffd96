import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { DEFAULT_LIMITS } from '../../core/contract/limits.ts';
import { startCheckingS3 } from '../adapters/s3/testing/checking-s3.ts';
import type { Config } from '../config/load-config.ts';
import { examineNodes } from './examine-links.ts';
import { examineMedia } from './examine-media.ts';
import { examineTokens } from './examine-tokens.ts';
import { examineTraces } from './examine-traces.ts';
import { findingsOf } from './examine.ts';
import type { Examination, Finding } from './finding.ts';

/** What a deployment may name besides engines, well and ill: each ill is told with what to do about it. */

const TIMEOUT_MS = 500;
let folder: string;
const ends: (() => Promise<unknown>)[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'parley-doctor-'));
});
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
  rmSync(folder, { recursive: true, force: true });
});

async function found(examinations: readonly Examination[]): Promise<readonly Finding[]> {
  expect(examinations).toHaveLength(1);
  return (await Promise.all(examinations.map((each) => findingsOf(each, TIMEOUT_MS)))).flat();
}

/** A server that gives every request the same answer; `undefined`: none at all. */
async function answering(status: number | undefined, body = ''): Promise<string> {
  const server = createServer((request, response) => {
    request.resume();
    if (status !== undefined) response.writeHead(status).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  ends.push(() => new Promise((resolve) => server.close(resolve).closeAllConnections()));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test('processes are not called missing where Redis, which knows them, does not answer', async () => {
  const log = pino({ level: 'silent' });
  const config = { region: 'eu', regions: [{ name: 'eu', redis: { url: 'redis://127.0.0.1:9' } }] };
  const findings = await found([examineNodes(config as Config, { timeoutMs: TIMEOUT_MS, log })]);
  expect(findings).toMatchObject([
    {
      verdict: 'warning',
      detail: 'eu: its Redis tells of none',
      next: expect.stringMatching(
        /^see that Redis of eu answers; if it does, start in eu: gateway/,
      ) as string,
    },
  ]);
});

describe('the media bucket', () => {
  const key = { accessKeyId: 'K', secretAccessKey: 'S' };
  const bucket = (endpoint: string, secretAccessKey = 'S') =>
    found(
      examineMedia(
        {
          media: { kind: 's3', endpoint, region: 'r', bucket: 'b', accessKeyId: 'K', secretAccessKey },
          limits: DEFAULT_LIMITS,
        } as Config,
        TIMEOUT_MS,
      ),
    );

  test('is well when an object goes up and comes down as for a device', async () => {
    const s3 = await startCheckingS3(key);
    ends.push(() => s3.close());
    expect(await bucket(s3.endpoint)).toMatchObject([{ verdict: 'ok' }]);
  });
  test('refuses a key that is not right', async () => {
    const s3 = await startCheckingS3(key);
    ends.push(() => s3.close());
    expect(await bucket(s3.endpoint, 'other')).toMatchObject([
      { verdict: 'broken', detail: expect.stringContaining('refuses to write: 403') as string },
    ]);
  });
  test.each([
    ['NoSuchBucket', 404, 'make the bucket'],
    ['SignatureDoesNotMatch', 403, 'secretAccessKey'],
    ['RequestTimeTooSkewed', 403, 'NTP'],
    ['AccessDenied', 403, 's3:PutObject'],
  ])('answers %s', async (code, status, remedy) => {
    const endpoint = await answering(status, `<Error><Code>${code}</Code></Error>`);
    expect(await bucket(endpoint)).toMatchObject([
      {
        verdict: 'broken',
        detail: `refuses to write: ${status} ${code}`,
        next: expect.stringContaining(remedy) as string,
      },
    ]);
  });
  test('gives something else than it took', async () => {
    expect(await bucket(await answering(200, 'a page of a proxy'))).toMatchObject([
      { verdict: 'broken', detail: expect.stringContaining('not what was written') as string },
    ]);
  });
  test('does not answer, or is not there', async () => {
    for (const endpoint of [await answering(undefined), 'http://127.0.0.1:1'])
      expect(await bucket(endpoint)).toMatchObject([{ verdict: 'broken' }]);
  });
});

describe('the media folder', () => {
  const examined = (at: string) =>
    found(examineMedia({ media: { kind: 'filesystem', folder: at } } as Config, TIMEOUT_MS));

  test('is well when a file can be written, and nothing is left in it', async () => {
    const at = join(folder, 'media');
    expect(await examined(at)).toMatchObject([{ verdict: 'ok' }]);
    expect(readdirSync(at)).toEqual([]);
  });
  test('is no folder', async () => {
    const at = join(folder, 'file');
    writeFileSync(at, '');
    expect(await examined(at)).toMatchObject([
      { verdict: 'broken', next: expect.stringContaining('mount it') as string },
    ]);
  });
});

describe('the key set of the issuer', () => {
  const examined = (jwks: object) => found(examineTokens({ tokens: { jwks } } as Config));
  const jwk = {
    ...generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' }),
    kid: 'k1',
    use: 'sig',
  };
  const set = JSON.stringify({ keys: [jwk] });

  test('is well at a URL and in a file', async () => {
    const file = join(folder, 'keys.json');
    writeFileSync(file, set);
    const url = await answering(200, set);
    for (const source of [{ file }, { url }])
      expect(await examined({ ...source, issuer: 'i' })).toMatchObject([
        { verdict: 'ok', detail: expect.stringContaining('k1 (OKP)') as string },
      ]);
  });
  test('is believed for every issuer when none is named', async () => {
    const url = await answering(200, set);
    expect(await examined({ url })).toMatchObject([{ verdict: 'ok' }, { verdict: 'warning' }]);
  });
  test.each([
    ['is not there', 404, ''],
    ['is no JSON', 200, '<html>'],
    ['has no key that can check a token', 200, '{"keys":[{"kty":"oct","k":"AA","kid":"k1"}]}'],
  ])('%s', async (_name, status, body) => {
    expect(await examined({ url: await answering(status, body) })).toMatchObject([
      { verdict: 'broken', next: expect.stringContaining('RFC 7517') as string },
    ]);
  });
});

describe('the collector of traces', () => {
  const examined = (url: string) =>
    found(examineTraces({ observability: { traces: { url, ratio: 1 } } } as Config, TIMEOUT_MS));

  test('is well when it takes an export', async () => {
    expect(await examined(await answering(200, '{}'))).toMatchObject([{ verdict: 'ok' }]);
  });
  test.each([
    [404, '/v1/traces'],
    [401, 'login'],
    [500, 'log of the collector'],
  ])('answers %i', async (status, remedy) => {
    expect(await examined(await answering(status))).toMatchObject([
      { verdict: 'broken', next: expect.stringContaining(remedy) as string },
    ]);
  });
  test('is away', async () => {
    expect(await examined('http://127.0.0.1:1')).toMatchObject([
      { verdict: 'broken', next: expect.stringContaining('spans are dropped') as string },
    ]);
  });
});

test('what is not configured is not examined', () => {
  const config = { tokens: {}, observability: {}, limits: DEFAULT_LIMITS } as Config;
  expect([
    ...examineMedia(config, TIMEOUT_MS),
    ...examineTokens(config),
    ...examineTraces(config, TIMEOUT_MS),
  ]).toEqual([]);
});
