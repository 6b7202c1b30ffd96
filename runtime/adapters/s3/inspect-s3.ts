import { createHash } from 'node:crypto';
import { AwsClient } from 'aws4fetch';
import { mediaId, userId } from '../../../core/contract/ids.ts';
import type { S3MediaOptions } from './media-store-s3.ts';
import { createS3MediaStore } from './media-store-s3.ts';

/** What S3 made of an object that was written, read and removed, for people who look for a fault. */
export interface S3Report {
  /** The step that was refused, with the status and S3's own code: `AccessDenied`, `NoSuchBucket`. */
  readonly refused:
    | { readonly step: 'write' | 'read'; readonly status: number; readonly code: string }
    | undefined;
  /** What came back is what was written. */
  readonly same: boolean;
  readonly roundTripMs: number;
}

/** Always the same one, so that where removing is forbidden one small object stays and not one for each examination. */
const PROBE = mediaId('parley-doctor');
const CONTENT = Buffer.from('written by parley doctor');

/** Writes and reads by presigned URLs, as devices do. @throws Error when nobody answers in time. */
export async function inspectS3(options: S3MediaOptions, timeoutMs: number): Promise<S3Report> {
  const media = createS3MediaStore(options);
  const object = {
    mediaId: PROBE,
    contentType: 'text/plain',
    size: CONTENT.length,
    sha256: createHash('sha256').update(CONTENT).digest('hex'),
  };
  const call = (url: string, request: RequestInit = {}): Promise<Response> =>
    fetch(url, { ...request, redirect: 'error', signal: AbortSignal.timeout(timeoutMs) });

  const asked = performance.now();
  const upload = await media.signUpload(object, '', userId('u_0'));
  const written = await call(upload.url, { method: 'PUT', body: CONTENT, headers: { ...upload.headers } });
  const roundTripMs = Math.round(performance.now() - asked);
  if (!written.ok) return { refused: await refusal('write', written), same: false, roundTripMs };
  await written.arrayBuffer();
  const read = await call((await media.signDownload(object, '')).url);
  if (!read.ok) return { refused: await refusal('read', read), same: false, roundTripMs };
  const same = CONTENT.equals(Buffer.from(await read.arrayBuffer()));
  await remove(options, call);
  return { refused: undefined, same, roundTripMs };
}

/** Parley itself never removes an object, so its key need not be allowed to: no answer of this is a finding. */
async function remove(
  { endpoint, region, bucket, accessKeyId, secretAccessKey }: S3MediaOptions,
  call: (url: string, request: RequestInit) => Promise<Response>,
): Promise<void> {
  const client = new AwsClient({ accessKeyId, secretAccessKey, region, service: 's3' });
  const url = new URL(`${endpoint.replace(/\/$/, '')}/${bucket}/${PROBE}`);
  url.searchParams.set('X-Amz-Expires', '60');
  const signed = await client.sign(url.href, { method: 'DELETE', aws: { signQuery: true } });
  await call(signed.url, { method: 'DELETE' })
    .then((answer) => answer.arrayBuffer())
    .catch(() => undefined);
}

async function refusal(step: 'write' | 'read', answer: Response): Promise<S3Report['refused']> {
  const text = await answer.text();
  return { step, status: answer.status, code: /<Code>([A-Za-z]{1,80})<\/Code>/.exec(text)?.[1] ?? 'no code' };
}
