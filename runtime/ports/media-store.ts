import type { MediaId, UserId } from '../../core/contract/ids.ts';
import type { Micros } from '../../core/contract/time.ts';
import type { Route } from '../http-api/router.ts';

/** What an object is: known, and fixed, before it is uploaded. */
export interface MediaObject {
  readonly mediaId: MediaId;
  /** Bytes. */
  readonly size: number;
  readonly contentType: string;
  /** Of the content: 64 hexadecimal digits in lower case. */
  readonly sha256: string;
}

export interface SignedUpload {
  readonly url: string;
  /** What the PUT must carry, besides its length. */
  readonly headers: Readonly<Record<string, string>>;
  readonly expiresAt: Micros;
}

export interface SignedDownload {
  readonly url: string;
  readonly expiresAt: Micros;
}

/**
 * Where the bytes of media lie. Nothing passes through a message; devices PUT and GET by URLs that are good for one object
 * and for a while. Whoever has a URL may use it: who may have one is decided before it is signed.
 */
export interface MediaStore {
  /**
   * Signs an upload: a PUT of exactly this size, content type and content is taken, and every other one refused.
   * @param origin scheme and host under which the device reaches this process, for URLs that lead here.
   * @param owner who uploads: what a store of ours takes at once is shared out among users.
   */
  signUpload(object: MediaObject, origin: string, owner: UserId): Promise<SignedUpload>;
  signDownload(object: MediaObject, origin: string): Promise<SignedDownload>;
  /** What this process serves because the URLs lead to it. */
  readonly routes: readonly Route[];
}
