import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fetchDevToken } from './raw-device.ts';
import { startTestServer, type TestServer } from './test-server.ts';

/** What the HTTP API says to requests that are wrong, and to probes. */

let server: TestServer;
let authorization: string;
beforeAll(async () => {
  server = await startTestServer();
  authorization = `Bearer ${await fetchDevToken(server.url, 'u_1')}`;
});
afterAll(() => server.stop());

interface Asked {
  readonly method?: string;
  readonly body?: string;
  readonly type?: string;
}

async function ask(path: string, { method = 'GET', body, type = 'application/json' }: Asked = {}) {
  const answer = await fetch(server.url + path, {
    method,
    headers: { authorization, ...(body === undefined ? {} : { 'content-type': type }) },
    ...(body === undefined ? {} : { body }),
  });
  return { status: answer.status, type: answer.headers.get('content-type'), text: await answer.text() };
}

const post = (body: unknown, type?: string): Asked => ({
  method: 'POST',
  body: typeof body === 'string' ? body : JSON.stringify(body),
  ...(type === undefined ? {} : { type }),
});

describe('a wrong request is answered with a problem document that names the field', () => {
  test.each<readonly [string, string, Asked, number, string, string]>([
    ['an unknown path', '/v1/nothing', {}, 404, 'bad_frame', 'nothing at this path'],
    ['another method', '/v1/chats/c_1', { method: 'DELETE' }, 405, 'bad_frame', 'use GET here'],
    ['no JSON', '/v1/chats', post('{'), 400, 'bad_frame', 'not valid JSON'],
    [
      'another content type',
      '/v1/chats',
      post('a=1', 'application/x-www-form-urlencoded'),
      415,
      'bad_frame',
      'application/json',
    ],
    ['no body', '/v1/chats', { method: 'POST' }, 400, 'bad_frame', 'expected object'],
    [
      'an unknown field',
      '/v1/chats',
      post({ kind: 'group', members: [], title: 'x' }),
      400,
      'bad_frame',
      'title',
    ],
    ['a wrong kind', '/v1/chats', post({ kind: 'party', members: [] }), 400, 'bad_frame', 'kind:'],
    [
      'a wrong member',
      '/v1/chats',
      post({ kind: 'group', members: ['u_1', 'bob'] }),
      400,
      'bad_frame',
      'members.1:',
    ],
    [
      'a direct chat of three',
      '/v1/chats',
      post({ kind: 'direct', members: ['u_2', 'u_3'] }),
      400,
      'bad_frame',
      'members',
    ],
    [
      'a direct chat with oneself',
      '/v1/chats',
      post({ kind: 'direct', members: ['u_1'] }),
      400,
      'bad_frame',
      'members',
    ],
    ['a wrong chat id', '/v1/chats/9', {}, 400, 'bad_frame', 'chatId:'],
    ['an id of 64 bits', '/v1/chats/c_9223372036854775808', {}, 400, 'bad_frame', 'chatId:'],
    ['a negative seq', '/v1/chats/c_1/messages?afterSeq=-1', {}, 400, 'bad_frame', 'afterSeq:'],
    ['a page too large', '/v1/chats/c_1/messages?limit=1000', {}, 400, 'bad_frame', 'limit:'],
    ['an unknown parameter', '/v1/chats/c_1/messages?since=1', {}, 400, 'bad_frame', 'since'],
    ['receipts of no message', '/v1/chats/c_1/receipts', {}, 400, 'bad_frame', 'serverMsgId:'],
    ['a body too large', '/v1/chats', post('x'.repeat(300_000)), 413, 'too_large', 'bytes'],
  ])('%s', async (_name, path, asked, status, code, detail) => {
    const answer = await ask(path, asked);
    expect(answer).toMatchObject({ status, type: 'application/problem+json' });
    expect(JSON.parse(answer.text)).toMatchObject({
      type: `urn:parley:error:${code}`,
      status,
      code,
      retryable: false,
    });
    expect(answer.text).toContain(detail);
  });
});

test('probes and metrics answer without a token', async () => {
  const [health, ready, metrics] = await Promise.all(
    ['/healthz', '/readyz', '/metrics'].map((path) => fetch(server.url + path)),
  );
  expect([health?.status, ready?.status, metrics?.status]).toEqual([200, 200, 200]);
  const texts = await Promise.all(
    server.processUrls.map(async (url) => (await fetch(`${url}/metrics`)).text()),
  );
  const text = texts.join('\n');
  for (const name of [
    'parley_connections',
    'parley_messages_acked_total',
    'parley_deliveries_total',
    'parley_message_stage_seconds_bucket',
    'parley_delivery_seconds_bucket',
    'parley_delivery_queue_depth',
    'parley_connections_closed_total',
    'parley_errors_sent_total',
    'process_resident_memory_bytes',
  ]) {
    expect(text).toContain(name);
  }
});

test('names stand for ids in development mode, the same on every server', async () => {
  const id = async (name: string): Promise<unknown> => JSON.parse((await ask(`/v1/dev/users/${name}`)).text);
  expect(await id('alice')).toEqual({ name: 'alice', userId: 'u_1' });
  expect(await id('Bob')).toMatchObject({ userId: 'u_2' });
  expect(await id('u_77')).toMatchObject({ userId: 'u_77' });
  expect(await id('zoe')).toEqual({ name: 'zoe', userId: 'u_5526906687991640373' });
});
