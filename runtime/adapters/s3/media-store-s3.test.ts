import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { userId } from '../../../core/contract/ids.ts';
import { SECOND } from '../../../core/contract/time.ts';
import { createS3MediaStore } from './media-store-s3.ts';
import { faultOf, startCheckingS3, type CheckingS3 } from './testing/checking-s3.ts';
import { testObject } from './testing/media-object.ts';

/** What the signatures of presigned URLs bind, judged by a service that checks them. */

const KEY = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' };
let s3: CheckingS3;
beforeAll(async () => {
  s3 = await startCheckingS3(KEY);
});
afterAll(() => s3.close());

const storeOf = (urlLifetime = 600 * SECOND) =>
  createS3MediaStore({ ...KEY, endpoint: s3.endpoint, region: 'eu-1', bucket: 'media', urlLifetime });
const put = async (url: string, body: Uint8Array<ArrayBuffer>, headers: Record<string, string>) => {
  const answer = await fetch(url, { method: 'PUT', body, headers });
  return [answer.status, await answer.text()];
};

test('the judge agrees with Amazon’s own example', () => {
  // "Authenticating Requests: Using Query Parameters", with the key that Amazon's documentation uses throughout.
  const url = new URL(
    'https://examplebucket.s3.amazonaws.com/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256' +
      '&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z' +
      '&X-Amz-Expires=86400&X-Amz-SignedHeaders=host' +
      '&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404',
  );
  const key = {
    accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
    secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
  };
  const request = { method: 'GET', url, headers: { host: 'examplebucket.s3.amazonaws.com' } };
  expect(faultOf(request, key, new Date('2013-05-24T12:00:00Z'))).toBeUndefined();
  expect(faultOf(request, key, new Date('2013-05-25T00:00:00Z'))).toBe('Request has expired');
  expect(faultOf({ ...request, method: 'PUT' }, key, new Date('2013-05-24T12:00:00Z'))).toBe(
    'SignatureDoesNotMatch',
  );
});

test('what was announced is taken and comes back, as something to save', async () => {
  const { object, content } = testObject(10_000, 'text/html');
  const { url, headers } = await storeOf().signUpload(object, 'http://unused', userId('u_1'));
  expect(await put(url, content, { ...headers })).toEqual([200, '']);
  const download = await storeOf().signDownload(object, 'http://unused');
  const answer = await fetch(download.url);
  expect(answer.headers.get('content-type')).toBe('text/html');
  expect(answer.headers.get('content-disposition')).toBe('attachment');
  expect(new Uint8Array(await answer.arrayBuffer())).toEqual(content);
});

test('another size, type, hash, content, object or method is refused', async () => {
  const { object, content } = testObject(1_000);
  const { url, headers } = await storeOf().signUpload(object, '', userId('u_1'));
  const wrong = 'SignatureDoesNotMatch';
  expect(await put(url, new Uint8Array(randomBytes(1_001)), { ...headers })).toEqual([403, wrong]);
  expect(await put(url, content, { ...headers, 'content-type': 'text/html' })).toEqual([403, wrong]);
  expect(await put(url, content, { ...headers, 'x-amz-checksum-sha256': 'AAAA' })).toEqual([403, wrong]);
  expect(await put(url, content, { 'content-type': 'image/png' })).toEqual([403, wrong]);
  expect(await put(url, content, { ...headers, 'x-amz-acl': 'public-read' })).toEqual([
    403,
    'unsigned header x-amz-acl',
  ]);
  expect(await put(url, new Uint8Array(randomBytes(1_000)), { ...headers })).toEqual([400, 'BadDigest']);
  expect(await put(url.replace(object.mediaId, 'x_1'), content, { ...headers })).toEqual([403, wrong]);
  expect((await fetch(url)).status).toBe(403);
  const download = await storeOf().signDownload(object, '');
  expect((await fetch(download.url)).status).toBe(404);
  expect(await put(download.url, content, { ...headers })).toEqual([
    403,
    'unsigned header x-amz-checksum-sha256',
  ]);
});

test('a URL is good for its time', async () => {
  const { object, content } = testObject(10);
  const { url, headers, expiresAt } = await storeOf(1 * SECOND).signUpload(object, '', userId('u_1'));
  expect(expiresAt / 1_000).toBeLessThanOrEqual(Date.now() + 1_000);
  await expect
    .poll(() => put(url, content, { ...headers }), { timeout: 5_000 })
    .toEqual([403, 'Request has expired']);
});
