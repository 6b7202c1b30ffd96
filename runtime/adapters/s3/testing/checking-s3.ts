import { createHash, createHmac } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/**
 * As much of S3 as presigned URLs need, in memory, written from Amazon's description (AWS Signature Version 4, "Authenticating
 * Requests: Using Query Parameters") and not from a client: s3rver takes every signature for good.
 */
export interface CheckingS3 {
  readonly endpoint: string;
  close(): Promise<void>;
}

export interface S3Key {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

export async function startCheckingS3(key: S3Key): Promise<CheckingS3> {
  const objects = new Map<string, { readonly body: Buffer; readonly type: string }>();

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    const body = Buffer.concat(chunks);
    const url = new URL(request.url ?? '/', `http://${request.headers.host}`);
    const fault = faultOf(
      { method: request.method ?? '', url, headers: request.headers as Record<string, string> },
      key,
      new Date(),
    );
    if (fault !== undefined) return void response.writeHead(403).end(fault);
    if (request.method === 'PUT') {
      const checksum = request.headers['x-amz-checksum-sha256'];
      if (checksum !== undefined && checksum !== createHash('sha256').update(body).digest('base64'))
        return void response.writeHead(400).end('BadDigest');
      objects.set(url.pathname, { body, type: request.headers['content-type'] ?? '' });
      return void response.writeHead(200).end();
    }
    const object = objects.get(url.pathname);
    if (object === undefined) return void response.writeHead(404).end('NoSuchKey');
    const type = url.searchParams.get('response-content-type') ?? object.type;
    const disposition = url.searchParams.get('response-content-disposition') ?? 'inline';
    response.writeHead(200, { 'content-type': type, 'content-disposition': disposition }).end(object.body);
  }

  const server = createServer((request, response) => {
    serve(request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

export interface PresignedRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
}

/** @returns why a presigned request is refused, or undefined. */
export function faultOf(
  { method, url, headers }: PresignedRequest,
  key: S3Key,
  now: Date,
): string | undefined {
  const query = url.searchParams;
  const date = query.get('X-Amz-Date') ?? '';
  const [accessKeyId = '', ...scope] = (query.get('X-Amz-Credential') ?? '').split('/');
  if (accessKeyId !== key.accessKeyId) return 'InvalidAccessKeyId';
  const from = Date.parse(date.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'));
  if (!(now.getTime() < from + Number(query.get('X-Amz-Expires')) * 1_000)) return 'Request has expired';
  const signed = (query.get('X-Amz-SignedHeaders') ?? '').split(';');
  // Headers of Amazon's own count only when they are signed.
  for (const name of Object.keys(headers))
    if (name.startsWith('x-amz-') && !signed.includes(name)) return `unsigned header ${name}`;
  const canonical = [
    method,
    url.pathname,
    [...query]
      .filter(([name]) => name !== 'X-Amz-Signature')
      .map(([name, value]) => `${escape(name)}=${escape(value)}`)
      .toSorted()
      .join('&'),
    ...signed.map((name) => `${name}:${(headers[name] ?? '').trim()}`),
    '',
    signed.join(';'),
    'UNSIGNED-PAYLOAD',
  ].join('\n');
  const text = ['AWS4-HMAC-SHA256', date, scope.join('/'), sha256(canonical)].join('\n');
  let secret: Buffer | string = `AWS4${key.secretAccessKey}`;
  for (const part of scope) secret = createHmac('sha256', secret).update(part).digest();
  const signature = createHmac('sha256', secret).update(text).digest('hex');
  return signature === query.get('X-Amz-Signature') ? undefined : 'SignatureDoesNotMatch';
}

function escape(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
