import { createHash, randomBytes } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { mediaId, type ChatId, type MediaId, type UserId } from '../../core/contract/ids.ts';
import { SECOND } from '../../core/contract/time.ts';
import { openNodeSocket } from '../client/client-socket-node.ts';
import { createParleyClient, type ParleyClient } from '../client/parley-client.ts';
import { fetchDevToken } from './raw-device.ts';
import { startTestServer, type TestServer } from './test-server.ts';

/** Media in the folder of an embedded server: what is taken, what is given out, and to whom. */

let server: TestServer;
const clients: ParleyClient[] = [];
beforeAll(async () => {
  server = await startTestServer({ mediaBytes: 8 * 1024 * 1024 });
});
afterAll(async () => {
  await Promise.all(clients.map((client) => client.disconnect()));
  await server.stop();
});

let lastUser = 500;
const newUser = (): UserId => `u_${++lastUser}` as UserId;
const hashOf = (content: Uint8Array): string => createHash('sha256').update(content).digest('hex');

async function client(user: UserId): Promise<ParleyClient> {
  const token = await fetchDevToken(server.url, user, 'phone');
  const made = await createParleyClient({ url: server.url, token, openSocket: openNodeSocket });
  clients.push(made);
  return made;
}

interface Answer {
  readonly status: number;
  readonly json: Record<string, unknown>;
}

async function ask(
  user: UserId,
  method: string,
  path: string,
  body?: unknown,
  url = server.url,
): Promise<Answer> {
  const response = await fetch(url + path, {
    method,
    headers: {
      authorization: `Bearer ${await fetchDevToken(url, user, 'phone')}`,
      'content-type': 'application/json',
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: response.status, json: (await response.json()) as Record<string, unknown> };
}

async function newMedia(user: UserId, content: Uint8Array, contentType = 'image/png', url = server.url) {
  const wanted = { size: content.length, contentType, sha256: hashOf(content) };
  const { status, json } = await ask(user, 'POST', '/v1/media', wanted, url);
  expect(status).toBe(201);
  return json as { mediaId: MediaId; uploadUrl: string; uploadHeaders: Record<string, string> };
}

const put = (url: string, body: Uint8Array<ArrayBuffer>, headers: Record<string, string>) =>
  fetch(url, { method: 'PUT', headers, body });
const bytes = (size: number): Uint8Array<ArrayBuffer> => new Uint8Array(randomBytes(size));

describe('an upload', () => {
  test('of what was announced is taken, and comes back byte for byte', async () => {
    const user = newUser();
    const content = bytes(3_000_000);
    const { mediaId: id, uploadUrl, uploadHeaders } = await newMedia(user, content);
    expect(id).toMatch(/^x_\d+$/);
    expect((await put(uploadUrl, content, uploadHeaders)).status).toBe(200);
    const { json } = await ask(user, 'GET', `/v1/media/${id}`);
    expect(json).toMatchObject({
      mediaId: id,
      size: content.length,
      contentType: 'image/png',
      sha256: hashOf(content),
    });
    expect(Date.parse(String(json['expiresAt']))).toBeGreaterThan(Date.now());
    const got = await fetch(String(json['downloadUrl']));
    expect(got.headers.get('content-type')).toBe('image/png');
    expect(got.headers.get('content-disposition')).toBe('attachment');
    expect(got.headers.get('x-content-type-options')).toBe('nosniff');
    expect(hashOf(new Uint8Array(await got.arrayBuffer()))).toBe(hashOf(content));
    // The same upload again, as after an answer that was lost, changes nothing.
    expect((await put(uploadUrl, content, uploadHeaders)).status).toBe(200);
  });

  test('of anything else is refused, says why, and leaves nothing behind', async () => {
    const user = newUser();
    const content = bytes(100_000);
    const other = bytes(100_000);
    const { mediaId: id, uploadUrl, uploadHeaders } = await newMedia(user, content);
    const refused: readonly (readonly [
      number,
      string,
      string,
      Uint8Array<ArrayBuffer>,
      Record<string, string>,
    ])[] = [
      [400, 'sha256: the content has another hash', uploadUrl, other, uploadHeaders],
      [400, 'content-length:', uploadUrl, bytes(100_001), uploadHeaders],
      [400, 'content-length:', uploadUrl, bytes(0), uploadHeaders],
      [400, 'content-type:', uploadUrl, content, { 'content-type': 'text/html' }],
      [403, 'signature:', uploadUrl.replace('size=100000', 'size=100001'), bytes(100_001), uploadHeaders],
      [403, 'signature:', uploadUrl.replace(hashOf(content), hashOf(other)), other, uploadHeaders],
      [
        403,
        'signature:',
        uploadUrl.replace('image%2Fpng', 'text%2Fhtml'),
        content,
        { 'content-type': 'text/html' },
      ],
      [403, 'signature:', uploadUrl.replace(id, 'x_7'), content, uploadHeaders],
      [403, 'signature:', uploadUrl.replace(/expires=\d/, 'expires=9'), content, uploadHeaders],
      [403, 'signature:', uploadUrl.replace(/signature=\w\w/, 'signature=zz'), content, uploadHeaders],
      [403, 'signature:', uploadUrl.split('?', 1)[0] ?? '', content, uploadHeaders],
    ];
    for (const [status, detail, url, body, headers] of refused) {
      const answer = await put(url, body, headers);
      expect([answer.status, answer.headers.get('content-type')]).toEqual([
        status,
        'application/problem+json',
      ]);
      expect(((await answer.json()) as { detail: string }).detail).toContain(detail);
    }
    expect((await fetch(uploadUrl)).status).toBe(403);
    const { json } = await ask(user, 'GET', `/v1/media/${id}`);
    expect((await fetch(String(json['downloadUrl']))).status).toBe(404);
    expect(readdirSync(join(server.dataDir, 'media', 'incoming'))).toEqual([]);
  });

  test('without a length is counted while it comes, and cut when it is too long or too short', async () => {
    const content = bytes(200_000);
    const { uploadUrl, uploadHeaders } = await newMedia(newUser(), content);
    const chunked = (sent: Uint8Array): Promise<number> =>
      new Promise((resolve) => {
        const asked = request(uploadUrl, {
          method: 'PUT',
          headers: { ...uploadHeaders, 'transfer-encoding': 'chunked' },
        });
        asked.on('response', (response) => {
          response.resume();
          resolve(response.statusCode ?? 0);
        });
        // The answer may come, and the connection end, before everything was written.
        asked.on('error', () => undefined);
        asked.end(sent);
      });
    expect(await chunked(content.subarray(0, 199_999))).toBe(400);
    expect(await chunked(new Uint8Array([...content, 1]))).toBe(400);
    expect(await chunked(content)).toBe(200);
  });

  test('that breaks off leaves nothing behind', async () => {
    const content = bytes(2_000_000);
    const { uploadUrl, uploadHeaders } = await newMedia(newUser(), content);
    const asked = request(uploadUrl, {
      method: 'PUT',
      headers: { ...uploadHeaders, 'content-length': String(content.length) },
    });
    asked.on('error', () => undefined);
    const incoming = join(server.dataDir, 'media', 'incoming');
    asked.write(content.subarray(0, 1_000_000));
    await expect.poll(() => readdirSync(incoming).length).toBe(1);
    asked.destroy();
    await expect.poll(() => readdirSync(incoming).length).toBe(0);
  });

  test('after its time is refused', async () => {
    const short = await startTestServer({ mediaUrlLifetime: 1 * SECOND });
    const content = bytes(10);
    const { uploadUrl, uploadHeaders } = await newMedia(newUser(), content, 'image/png', short.url);
    await expect
      .poll(async () => (await put(uploadUrl, content, uploadHeaders)).status, { timeout: 5_000 })
      .toBe(403);
    await short.stop();
  });

  test.each([
    ['size', { size: -1, contentType: 'image/png', sha256: '0'.repeat(64) }],
    ['size', { size: 1.5, contentType: 'image/png', sha256: '0'.repeat(64) }],
    ['size', { size: 8 * 1024 * 1024 + 1, contentType: 'image/png', sha256: '0'.repeat(64) }],
    ['contentType', { size: 1, contentType: 'image', sha256: '0'.repeat(64) }],
    ['contentType', { size: 1, contentType: 'image/png\r\nx: y', sha256: '0'.repeat(64) }],
    ['sha256', { size: 1, contentType: 'image/png', sha256: 'abc' }],
    ['name', { size: 1, contentType: 'image/png', sha256: '0'.repeat(64), name: '../x' }],
  ])('that is announced with a wrong %s is refused', async (field, body) => {
    const { status, json } = await ask(newUser(), 'POST', '/v1/media', body);
    expect([status, json['code']]).toEqual([400, 'bad_frame']);
    expect(json['detail']).toContain(field);
  });
});

test('no path of a request becomes a path on the disk', async () => {
  const secret = readFileSync(join(server.dataDir, 'media', 'url-secret'), 'utf8');
  for (const id of ['..%2f..%2fdevelopment-secret', '..%2Furl-secret', '%00', 'x_1%2f..', '.']) {
    const answer = await fetch(
      `${server.url}/v1/media/${id}/content?size=1&type=a%2Fb&sha256=0&expires=9&signature=0`,
    );
    expect([401, 403, 404]).toContain(answer.status);
    expect(await answer.text()).not.toContain(secret);
  }
  expect(existsSync(join(server.dataDir, 'media', 'objects', 'development-secret'))).toBe(false);
});

test('parts of an object are sent by range', async () => {
  const user = newUser();
  const content = bytes(1_000);
  const { mediaId: id, uploadUrl, uploadHeaders } = await newMedia(user, content);
  await put(uploadUrl, content, uploadHeaders);
  const url = String((await ask(user, 'GET', `/v1/media/${id}`)).json['downloadUrl']);
  const part = async (range: string) => {
    const answer = await fetch(url, { headers: { range } });
    return [
      answer.status,
      answer.headers.get('content-range'),
      [...new Uint8Array(await answer.arrayBuffer())],
    ];
  };
  expect(await part('bytes=0-9')).toEqual([206, 'bytes 0-9/1000', [...content.subarray(0, 10)]]);
  expect(await part('bytes=990-')).toEqual([206, 'bytes 990-999/1000', [...content.subarray(990)]]);
  expect(await part('bytes=-5')).toEqual([206, 'bytes 995-999/1000', [...content.subarray(995)]]);
  expect(await part('bytes=998-5000')).toEqual([206, 'bytes 998-999/1000', [...content.subarray(998)]]);
  expect(await part('bytes=1000-')).toEqual([416, 'bytes */1000', []]);
  expect((await part('bytes=5-1'))[0]).toBe(200);
  expect((await part('bytes=0-1,5-6'))[0]).toBe(200);
  expect((await part('lines=1-2'))[0]).toBe(200);
  const tag = (await fetch(url)).headers.get('etag') ?? '';
  expect((await fetch(url, { headers: { 'if-none-match': tag } })).status).toBe(304);
});

describe('who may download', () => {
  test('the owner, and whoever sees a message that names it; nobody else is told that it exists', async () => {
    const [owner, friend, late, stranger] = [newUser(), newUser(), newUser(), newUser()];
    const alice = await client(owner);
    const bob = await client(friend);
    const content = bytes(50_000);
    const id = await alice.uploadMedia(content, 'image/png');
    const { chatId } = await alice.createChat('group', [friend]);
    const denied = async (user: UserId, chat?: ChatId): Promise<void> => {
      const path = `/v1/media/${id}${chat === undefined ? '' : `?chatId=${chat}`}`;
      const answer = await ask(user, 'GET', path);
      const unknown = await ask(user, 'GET', path.replace(id, 'x_404'));
      expect(answer).toEqual(unknown);
      expect(answer).toMatchObject({ status: 404, json: { code: 'bad_frame' } });
    };
    // Before a message names it nobody but the owner has it.
    await denied(friend, chatId);
    const message = new Promise((resolve) => bob.on('message', resolve));
    alice.connect();
    bob.connect();
    await alice.send(chatId, 'look', [id]);
    expect(await message).toMatchObject({ mediaIds: [id] });
    await alice.setMember(chatId, late);
    const got = await bob.downloadMedia(id, chatId);
    expect([hashOf(got.content), got.contentType]).toEqual([hashOf(content), 'image/png']);
    expect(hashOf((await alice.downloadMedia(id)).content)).toBe(hashOf(content));
    await denied(friend);
    await denied(late, chatId);
    await denied(stranger, chatId);
    // Who has left keeps what he saw.
    await bob.removeMember(chatId, friend);
    expect((await bob.downloadMedia(id, chatId)).content.length).toBe(50_000);
  });

  test.each([
    ['/v1/media/7', 'mediaId'],
    ['/v1/media/x_1?chatId=9', 'chatId'],
    ['/v1/media/x_1?chat=c_9', 'chat'],
  ])('GET %s names what is wrong', async (path, field) => {
    const { status, json } = await ask(newUser(), 'GET', path);
    expect([status, json['code']]).toEqual([400, 'bad_frame']);
    expect(json['detail']).toContain(field);
  });

  test('a message may name what does not exist: the server does not look', async () => {
    const alice = await client(newUser());
    const { chatId } = await alice.createChat('group', []);
    alice.connect();
    expect((await alice.send(chatId, 'where?', [mediaId('x_404')])).seq).toBe(1);
  });
});
