import type { FileHandle } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import type { UserId } from '../../../core/contract/ids.ts';
import { ProblemError } from '../../http-api/http-exchange.ts';
import { problem } from '../../http-api/problem.ts';
import type { Route, StreamExchange } from '../../http-api/router.ts';
import { readRange } from './byte-range.ts';
import { WrongContentError, type MediaFiles } from './media-files.ts';
import { readPermit, type MediaPermit } from './media-signature.ts';

export const CONTENT_PATH = '/v1/media/:mediaId/content';

/** Uploads under way at once, per process: each holds a file open and a disk busy. */
const UPLOADS = 64;
/** Of one user: nobody takes the slots of all others. */
const UPLOADS_PER_USER = 8;
/** A peer that says nothing for this long has gone. */
const IDLE_MS = 30_000;
/** A peer that is slower than this on the whole only holds a slot: some bytes now and then are not silence. 16 KiB/s. */
const LEAST_BYTES_PER_MS = 16.384;
const READ_BYTES = 128 * 1024;

/** PUT and GET of what a signed URL names. The signature is the whole permission: no token is asked for. */
export function mediaContentRoutes(files: MediaFiles, secret: Uint8Array): Route[] {
  /** Under way, by who uploads. */
  const uploads = new Map<UserId | undefined, number>();
  let count = 0;
  const permitOf = (method: 'PUT' | 'GET', { params, query }: StreamExchange): MediaPermit => {
    const now = Math.floor(Date.now() / 1_000);
    const permit = readPermit(method, params['mediaId'] ?? '', query, secret, now);
    if (typeof permit === 'string') throw new ProblemError(problem('forbidden', permit));
    return permit;
  };
  return [
    {
      method: 'PUT',
      path: CONTENT_PATH,
      auth: 'none',
      async stream(exchange) {
        const { object, owner } = permitOf('PUT', exchange);
        const own = uploads.get(owner) ?? 0;
        if (count >= UPLOADS || own >= UPLOADS_PER_USER)
          throw new ProblemError(problem('overloaded', 'too many uploads are under way: try again'));
        count++;
        uploads.set(owner, own + 1);
        try {
          await upload(exchange, object, files);
        } finally {
          count--;
          const left = (uploads.get(owner) ?? 0) - 1;
          if (left > 0) uploads.set(owner, left);
          else uploads.delete(owner);
        }
      },
    },
    {
      method: 'GET',
      path: CONTENT_PATH,
      auth: 'none',
      stream: (exchange) => download(exchange, permitOf('GET', exchange).object, files),
    },
  ];
}

async function upload(
  { request, response }: StreamExchange,
  object: MediaPermit['object'],
  files: MediaFiles,
): Promise<void> {
  const type = request.headers['content-type'];
  if (type !== object.contentType)
    throw new ProblemError(
      problem('bad_frame', `content-type: must be ${object.contentType}, as it was signed`),
    );
  const length = request.headers['content-length'];
  if (length !== undefined && length !== String(object.size))
    throw new ProblemError(problem('bad_frame', `content-length: must be ${object.size}, as it was signed`));
  request.setTimeout(IDLE_MS, () => request.destroy());
  const late = setTimeout(() => request.destroy(), mostMs(object.size));
  try {
    await files.write(object, request);
  } catch (error) {
    throw problemOf(error, request);
  } finally {
    clearTimeout(late);
  }
  response.writeHead(200, { 'content-length': 0, etag: `"${object.sha256}"` }).end();
}

/** How long so many bytes may take. */
function mostMs(size: number): number {
  return IDLE_MS + Math.ceil(size / LEAST_BYTES_PER_MS);
}

function problemOf(error: unknown, request: IncomingMessage): unknown {
  if (error instanceof WrongContentError) return new ProblemError(problem('bad_frame', error.message));
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'ENOSPC' || code === 'EDQUOT' || code === 'EROFS' || code === 'EMFILE')
    return new ProblemError(problem('unavailable', 'the media store has no room: try again later'));
  // The peer left: nobody waits for an answer, and nothing is wrong here.
  if (request.destroyed && !request.complete)
    return new ProblemError(problem('bad_frame', 'the upload ended before its content did'));
  return error;
}

async function download(
  { request, response }: StreamExchange,
  object: MediaPermit['object'],
  files: MediaFiles,
): Promise<void> {
  const { size, sha256 } = object;
  const file = await files.open(object.mediaId);
  if (file === undefined)
    throw new ProblemError(
      problem('bad_frame', 'nothing has been uploaded for this media id', { status: 404 }),
    );
  let late: NodeJS.Timeout | undefined;
  try {
    const range = readRange(request.headers.range, size);
    const headers = contentHeaders(object);
    if (range === 'unsatisfiable') {
      response.writeHead(416, { ...headers, 'content-range': `bytes */${size}`, 'content-length': 0 }).end();
      return;
    }
    if (request.headers['if-none-match'] === `"${sha256}"` && range === undefined) {
      response.writeHead(304, headers).end();
      return;
    }
    const { first, last } = range ?? { first: 0, last: size - 1 };
    const part = range === undefined ? {} : { 'content-range': `bytes ${first}-${last}/${size}` };
    response.writeHead(range === undefined ? 200 : 206, {
      ...headers,
      ...part,
      'content-length': last - first + 1,
    });
    if (size === 0) return void response.end();
    response.setTimeout(IDLE_MS, () => response.destroy());
    late = setTimeout(() => response.destroy(), mostMs(last - first + 1));
    await send(response, readPart(file, first, last));
  } finally {
    clearTimeout(late);
    await file.close();
  }
}

/** @throws Error when the file ends before `last`. */
async function* readPart(file: FileHandle, first: number, last: number): AsyncGenerator<Buffer, void> {
  for (let at = first; at <= last; ) {
    const buffer = Buffer.allocUnsafe(Math.min(READ_BYTES, last - at + 1));
    const { bytesRead } = await file.read(buffer, 0, buffer.length, at);
    if (bytesRead === 0) throw new Error('a media file is shorter than its object');
    at += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}

async function send(response: ServerResponse, content: AsyncGenerator<Buffer, void>): Promise<void> {
  try {
    await pipeline(content, response);
  } catch (error) {
    // The answer has begun: what is left to say is that it is not whole.
    response.destroy();
    if ((error as NodeJS.ErrnoException).code !== 'ERR_STREAM_PREMATURE_CLOSE') throw error;
  }
}

/** What an uploader calls `text/html` must not run as a page of this server's. */
function contentHeaders({ contentType, sha256 }: MediaPermit['object']): Record<string, string> {
  return {
    'content-type': contentType,
    'content-disposition': 'attachment',
    'content-security-policy': "sandbox; default-src 'none'",
    'x-content-type-options': 'nosniff',
    'accept-ranges': 'bytes',
    'cache-control': 'private, max-age=86400, immutable',
    etag: `"${sha256}"`,
  };
}
