import { createHash } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { fetchDevToken } from '../e2e/raw-device.ts';
import { startTestServer, type TestServer } from '../e2e/test-server.ts';
import { readApiDocument, type JsonObject } from './api-document.ts';
import type { ApiSchema } from './api-schema.ts';
import { mismatches } from './schema-match.ts';

/** The answers of a server against docs/api/openapi.yaml: status, content type and every field. */

interface Response {
  readonly content?: Readonly<Record<string, { readonly schema: ApiSchema }>>;
}
const { paths } = readApiDocument('openapi.yaml') as unknown as {
  readonly paths: Readonly<
    Record<string, Readonly<Record<string, { readonly responses: Readonly<Record<string, Response>> }>>>
  >;
};

let server: TestServer;
let authorization: string;
const asked = new Set<string>();
beforeAll(async () => {
  server = await startTestServer();
  authorization = `Bearer ${await fetchDevToken(server.url, 'u_1', 'phone')}`;
});
afterAll(() => server.stop());

interface Ask {
  readonly path?: Readonly<Record<string, string>>;
  readonly query?: string;
  readonly body?: unknown;
  readonly token?: boolean;
}

/** Asks, and holds the answer against the document. @returns its JSON. */
async function ask(
  operation: string,
  status: number,
  { path = {}, query = '', body, token = true }: Ask = {},
) {
  const [method = '', template = ''] = operation.split(' ');
  const target = template.replaceAll(/\{(\w+)\}/g, (_, name: string) => path[name] ?? '');
  const answer = await fetch(`${server.url}${target}${query}`, {
    method,
    headers: {
      ...(token ? { authorization } : {}),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  expect([operation, answer.status]).toEqual([operation, status]);
  const described = paths[template]?.[method.toLowerCase()]?.responses[String(status)];
  expect(described, `${operation} ${status} is described`).toBeDefined();
  asked.add(operation);
  const [[type, content] = [undefined, undefined]] = Object.entries(described?.content ?? {});
  if (type === undefined || content === undefined) {
    expect(text).toBe('');
    return {};
  }
  expect(answer.headers.get('content-type')).toContain(type);
  const value: unknown = type === 'text/plain' ? text : JSON.parse(text);
  expect(mismatches(content.schema, value)).toEqual([]);
  return value as Record<string, string>;
}

test('every operation answers as it is written there', async () => {
  const { chatId = '' } = await ask('POST /v1/chats', 201, { body: { kind: 'direct', members: ['u_2'] } });
  await ask('POST /v1/chats', 200, { body: { kind: 'direct', members: ['u_2'] } });
  await ask('POST /v1/chats', 400, { body: { kind: 'party', members: [] } });
  const group = await ask('POST /v1/chats', 201, { body: { kind: 'group', members: ['u_3'] } });
  const inGroup = { chatId: group['chatId'] ?? '', userId: 'u_4' };
  await ask('PUT /v1/chats/{chatId}/members/{userId}', 204, { path: inGroup, body: { role: 'admin' } });
  await ask('DELETE /v1/chats/{chatId}/members/{userId}', 204, { path: inGroup });
  await ask('DELETE /v1/chats/{chatId}/members/{userId}', 404, { path: { ...inGroup, chatId: 'c_404' } });

  const { pollId = '' } = await ask('POST /poll/connect', 200, { body: { cursors: {} } });
  await ask('POST /poll/connect', 401, { token: false });
  const send = { frame: 'SEND', clientMsgId: crypto.randomUUID(), chatId, ciphertext: 'aGk=', mediaIds: [] };
  await ask('POST /poll/{pollId}', 200, { path: { pollId }, body: { frames: [send, 7] } });
  const heard = (await ask('GET /poll/{pollId}', 200, {
    path: { pollId },
    query: '?waitMs=5000',
  })) as unknown as {
    readonly frames: readonly Readonly<Record<string, string>>[];
  };
  const serverMsgId = heard.frames.find((frame) => frame['frame'] === 'ACK')?.['serverMsgId'];
  await ask('GET /poll/{pollId}', 404, { path: { pollId: 'nobody' } });
  await ask('POST /poll/{pollId}', 404, { path: { pollId: 'nobody' }, body: { frames: [] } });
  await ask('DELETE /poll/{pollId}', 204, { path: { pollId } });
  await ask('DELETE /poll/{pollId}', 404, { path: { pollId } });

  await ask('GET /v1/chats', 200);
  await ask('GET /v1/chats/{chatId}', 200, { path: { chatId } });
  await ask('GET /v1/chats/{chatId}', 404, { path: { chatId: 'c_404' } });
  await ask('GET /v1/chats/{chatId}/messages', 200, { path: { chatId }, query: '?afterSeq=0&limit=1' });
  await ask('GET /v1/chats/{chatId}/messages', 404, { path: { chatId: 'c_404' } });
  await ask('GET /v1/chats/{chatId}/receipts', 200, {
    path: { chatId },
    query: `?serverMsgId=${serverMsgId}`,
  });
  await ask('GET /v1/chats/{chatId}/receipts', 404, { path: { chatId }, query: '?serverMsgId=m_404' });

  const sha256 = createHash('sha256').update('hi').digest('hex');
  const media = (await ask('POST /v1/media', 201, {
    body: { size: 2, contentType: 'text/plain', sha256 },
  })) as JsonObject;
  await ask('POST /v1/media', 400, { body: { size: 2, contentType: 'text/plain' } });
  const { mediaId = '', downloadUrl = '' } = await ask('GET /v1/media/{mediaId}', 200, {
    path: { mediaId: String(media['mediaId']) },
  });
  await ask('GET /v1/media/{mediaId}', 404, { path: { mediaId: 'x_404' } });
  const content = 'PUT /v1/media/{mediaId}/content';
  await ask(content, 403, { path: { mediaId }, token: false });
  const query = new URL(downloadUrl).search;
  await ask('GET /v1/media/{mediaId}/content', 404, { path: { mediaId }, query, token: false });
  await ask('GET /v1/media/{mediaId}/content', 403, { path: { mediaId }, token: false });

  await ask('POST /v1/dev/token', 200, { body: { userId: 'zoe' }, token: false });
  await ask('GET /v1/dev/users/{name}', 200, { path: { name: 'zoe' }, token: false });
  await ask('GET /healthz', 200, { token: false });
  await ask('GET /readyz', 200, { token: false });
  await ask('GET /metrics', 200, { token: false });
  await ask('GET /ws/connect', 426);
  await ask('GET /ws/connect', 401, { token: false });

  const operations = Object.entries(paths).flatMap(([path, item]) =>
    Object.keys(item)
      .filter((method) => method !== 'parameters')
      .map((method) => `${method.toUpperCase()} ${path}`),
  );
  expect([...asked].toSorted()).toEqual(operations.toSorted());
});
