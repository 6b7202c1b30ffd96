import type { UserId } from '../../../core/contract/ids.ts';
import { micros, SECOND } from '../../../core/contract/time.ts';
import type { MediaObject, MediaStore } from '../../ports/media-store.ts';
import { CONTENT_PATH, mediaContentRoutes } from './media-content-routes.ts';
import { createMediaFiles } from './media-files.ts';
import { signPermit } from './media-signature.ts';

export interface FilesystemMediaOptions {
  /** Shared by every process that serves HTTP. */
  readonly folder: string;
  /** At least 32 random bytes, the same in all of them: who knows it may read and write every object. */
  readonly secret: Uint8Array;
  /** How long a URL is good, microseconds. */
  readonly urlLifetime: number;
}

/** Media in a folder, up- and downloaded through this process by URLs that it signs itself. */
export function createFilesystemMediaStore(options: FilesystemMediaOptions): MediaStore {
  const { folder, secret, urlLifetime } = options;
  const files = createMediaFiles(folder);

  function sign(method: 'PUT' | 'GET', object: MediaObject, origin: string, owner: UserId | undefined) {
    const expires = Math.floor(Date.now() / 1_000 + urlLifetime / SECOND);
    const path = CONTENT_PATH.replace(':mediaId', object.mediaId);
    return {
      url: `${origin}${path}?${signPermit({ method, object, owner, expires }, secret)}`,
      expiresAt: micros(expires * SECOND),
    };
  }

  return {
    signUpload: (object, origin, owner) =>
      Promise.resolve({
        ...sign('PUT', object, origin, owner),
        headers: { 'content-type': object.contentType },
      }),
    signDownload: (object, origin) => Promise.resolve(sign('GET', object, origin, undefined)),
    routes: mediaContentRoutes(files, secret),
  };
}
