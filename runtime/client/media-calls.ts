import type { ChatId, MediaId } from '../../core/contract/ids.ts';
import { ApiError, callHttp } from './http-calls.ts';

/** Media: content that is too large for a message, which names it instead. */
export interface MediaCalls {
  /**
   * Uploads content; a message that names the id shows it to those who see the message. The server keeps bytes: what must
   * stay secret is encrypted before.
   * @param contentType a media type in lower case; `application/octet-stream` for encrypted content.
   * @throws ApiError when it is refused, too large, or cannot be uploaded.
   */
  uploadMedia(content: Uint8Array<ArrayBuffer> | Blob, contentType?: string): Promise<MediaId>;
  /**
   * Downloads content and checks that it is what was uploaded.
   * @param chatId of a message that names it; not needed for one's own.
   * @throws ApiError when this user may not see it, or it is not what it should be.
   */
  downloadMedia(mediaId: MediaId, chatId?: ChatId): Promise<DownloadedMedia>;
}

export interface DownloadedMedia {
  readonly content: Uint8Array<ArrayBuffer>;
  readonly contentType: string;
}

interface NewMedia {
  readonly mediaId: MediaId;
  readonly uploadUrl: string;
  readonly uploadHeaders: Readonly<Record<string, string>>;
}

interface MediaAnswer {
  readonly downloadUrl: string;
  readonly contentType: string;
  readonly sha256: string;
}

/** A film over a slow line takes its time. */
const TRANSFER_TIMEOUT_MS = 3_600_000;

export function createMediaCalls(url: string, getToken: () => Promise<string>): MediaCalls {
  return {
    async uploadMedia(content, contentType = 'application/octet-stream') {
      const bytes = content instanceof Blob ? await content.arrayBuffer() : content;
      const wanted = { size: bytes.byteLength, contentType, sha256: await sha256Of(bytes) };
      const token = await getToken();
      const media = await callHttp<NewMedia>(url, 'POST', '/v1/media', { token, body: wanted });
      await transfer(media.uploadUrl, { method: 'PUT', headers: media.uploadHeaders, body: bytes });
      return media.mediaId;
    },
    async downloadMedia(mediaId, chatId) {
      const query = chatId === undefined ? '' : `?chatId=${chatId}`;
      const token = await getToken();
      const media = await callHttp<MediaAnswer>(url, 'GET', `/v1/media/${mediaId}${query}`, { token });
      const content = await contentOf(await transfer(media.downloadUrl, {}));
      if ((await sha256Of(content)) !== media.sha256)
        throw new ApiError(0, 'internal', `${mediaId} is not what was uploaded`, true);
      return { content, contentType: media.contentType };
    },
  };
}

/** One request to where the bytes are, which need not be the server. @throws ApiError. */
async function transfer(url: string, init: RequestInit): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(url, { ...init, signal: AbortSignal.timeout(TRANSFER_TIMEOUT_MS) });
  } catch {
    throw new ApiError(0, 'unreachable', `${new URL(url).origin} cannot be reached`, true);
  }
  if (response.ok) return response;
  const text = (await response.text().catch(() => '')).slice(0, 200);
  const code = response.status === 404 ? 'bad_frame' : 'internal';
  throw new ApiError(
    response.status,
    code,
    `the media store answered ${response.status}: ${text}`,
    response.status >= 500,
  );
}

/** @throws ApiError when the connection breaks, or the time is over, before all of it is here. */
async function contentOf(response: Response): Promise<Uint8Array<ArrayBuffer>> {
  try {
    return new Uint8Array(await response.arrayBuffer());
  } catch {
    throw new ApiError(0, 'unreachable', 'the media store did not answer in full', true);
  }
}

async function sha256Of(bytes: BufferSource): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
