import { AwsClient } from 'aws4fetch';
import { micros, SECOND } from '../../../core/contract/time.ts';
import type { MediaObject, MediaStore } from '../../ports/media-store.ts';

export interface S3MediaOptions {
  /** `https://s3.eu-central-1.amazonaws.com`, or of any service that speaks the same. */
  readonly endpoint: string;
  readonly region: string;
  readonly bucket: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** How long a URL is good, microseconds; AWS allows seven days. */
  readonly urlLifetime: number;
}

/**
 * Media in S3 or what speaks its protocol, by presigned URLs (AWS Signature Version 4, query parameters). Signing needs no
 * request, so S3 may be away. The headers that an upload must carry are part of its signature: its length, its type, and
 * `x-amz-checksum-sha256`, against which S3 checks the content.
 */
export function createS3MediaStore(options: S3MediaOptions): MediaStore {
  const { endpoint, region, bucket, accessKeyId, secretAccessKey, urlLifetime } = options;
  const client = new AwsClient({ accessKeyId, secretAccessKey, region, service: 's3' });
  const lifetimeS = Math.max(1, Math.floor(urlLifetime / SECOND));

  async function sign(method: 'PUT' | 'GET', object: MediaObject, headers: Record<string, string>) {
    // Path style: a bucket of a service of one's own has no host name of its own.
    const url = new URL(`${endpoint.replace(/\/$/, '')}/${bucket}/${object.mediaId}`);
    url.searchParams.set('X-Amz-Expires', String(lifetimeS));
    if (method === 'GET') {
      // What an uploader calls `text/html` must not open as a page.
      url.searchParams.set('response-content-disposition', 'attachment');
      url.searchParams.set('response-content-type', object.contentType);
    }
    const expiresAt = micros((Math.floor(Date.now() / 1_000) + lifetimeS) * SECOND);
    const signed = await client.sign(url.href, {
      method,
      headers,
      // Without `allHeaders` it leaves length and type out of the signature.
      aws: { signQuery: true, allHeaders: true },
    });
    return { url: signed.url, expiresAt };
  }

  return {
    async signUpload(object, _origin) {
      const checksum = Buffer.from(object.sha256, 'hex').toString('base64');
      const headers = { 'content-type': object.contentType, 'x-amz-checksum-sha256': checksum };
      const signed = await sign('PUT', object, { ...headers, 'content-length': String(object.size) });
      return { ...signed, headers };
    },
    signDownload: (object, _origin) => sign('GET', object, {}),
    routes: [],
  };
}
