import { afterEach, expect, test, vi } from 'vitest';
import { mediaId } from '../../core/contract/ids.ts';
import { ApiError, callHttp } from './http-calls.ts';
import { createMediaCalls } from './media-calls.ts';

/** What an application is promised, an ApiError and nothing else, when something else than a whole Parley answers. */

afterEach(() => vi.unstubAllGlobals());

const URL = 'http://localhost:1';

function answering(...answers: readonly (() => Response)[]): void {
  const left = [...answers];
  vi.stubGlobal('fetch', () => Promise.resolve((left.shift() as () => Response)()));
}

/** An answer whose connection breaks in the midst of its body. */
function broken(): Response {
  const start = (body: ReadableStreamDefaultController): void => body.error(new TypeError('terminated'));
  return new Response(new ReadableStream({ start }));
}

test.each([
  ['a page of a portal', () => new Response('<p>Log in</p>'), 'answers, but not as Parley does'],
  ['half an answer', broken, 'did not answer in full'],
  ['a problem that is none', () => new Response('null', { status: 502 }), 'was answered with 502'],
])('%s', async (_what, answer, message) => {
  answering(answer);
  const failure: unknown = await callHttp(URL, 'GET', '/v1/chats').catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(ApiError);
  expect(failure).toMatchObject({ message: expect.stringContaining(message) as string, retryable: true });
});

test('half a media object', async () => {
  const media = { downloadUrl: `${URL}/x`, contentType: 'image/png', sha256: '' };
  answering(() => Response.json(media), broken);
  const calls = createMediaCalls(URL, () => Promise.resolve('token'));
  const failure: unknown = await calls.downloadMedia(mediaId('x_1')).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(ApiError);
  expect(failure).toMatchObject({ code: 'unreachable', retryable: true });
});
