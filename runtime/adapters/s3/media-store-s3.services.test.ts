import { expect, test } from 'vitest';
import { userId } from '../../../core/contract/ids.ts';
import { SECOND } from '../../../core/contract/time.ts';
import { readServiceState, servicesFolder } from '../../deploy/services/service-state.ts';
import { createS3MediaStore } from './media-store-s3.ts';
import { testObject } from './testing/media-object.ts';

/** An engine that understands presigned URLs, though it takes every signature for good. */
const state = readServiceState(servicesFolder(undefined));
if (state === undefined) throw new Error('no services run: make services');
const media = createS3MediaStore({ ...state.s3, region: 'us-east-1', urlLifetime: 60 * SECOND });

test('an object goes up and comes down by presigned URLs', async () => {
  const { object, content } = testObject(300_000);
  const up = await media.signUpload(object, '', userId('u_1'));
  const put = await fetch(up.url, { method: 'PUT', body: content, headers: { ...up.headers } });
  expect(put.status).toBe(200);
  const answer = await fetch((await media.signDownload(object, '')).url);
  expect(answer.headers.get('content-type')).toBe('image/png');
  expect(answer.headers.get('content-disposition')).toBe('attachment');
  expect(new Uint8Array(await answer.arrayBuffer())).toEqual(content);
});

test('what was not uploaded is not there', async () => {
  const { object } = testObject(1);
  expect((await fetch((await media.signDownload(object, '')).url)).status).toBe(404);
});
