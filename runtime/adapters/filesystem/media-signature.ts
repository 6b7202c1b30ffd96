import { createHmac, timingSafeEqual } from 'node:crypto';
import { mediaId, userId, type UserId } from '../../../core/contract/ids.ts';
import type { MediaObject } from '../../ports/media-store.ts';

/** What a URL allows: one method on one object until a second. */
export interface MediaPermit {
  readonly method: 'PUT' | 'GET';
  readonly object: MediaObject;
  /** Who uploads; undefined for a download. */
  readonly owner: UserId | undefined;
  /** Seconds since 1970. */
  readonly expires: number;
}

/** @returns the query string that carries a permit: everything it says, and the proof that we said it. */
export function signPermit(permit: MediaPermit, secret: Uint8Array): string {
  const { object, owner, expires } = permit;
  const query = new URLSearchParams({
    size: String(object.size),
    type: object.contentType,
    sha256: object.sha256,
    ...(owner === undefined ? {} : { owner }),
    expires: String(expires),
    signature: signature(permit, secret),
  });
  return query.toString();
}

/** @returns the permit, or why there is none. @param now seconds since 1970. */
export function readPermit(
  method: 'PUT' | 'GET',
  id: string,
  query: URLSearchParams,
  secret: Uint8Array,
  now: number,
): MediaPermit | string {
  const [size, expires] = [query.get('size') ?? '', query.get('expires') ?? ''];
  const owner = query.get('owner');
  const permit: MediaPermit = {
    method,
    object: {
      mediaId: mediaId(id),
      size: Number(size),
      contentType: query.get('type') ?? '',
      sha256: query.get('sha256') ?? '',
    },
    owner: owner === null ? undefined : userId(owner),
    expires: Number(expires),
  };
  const given = Buffer.from(query.get('signature') ?? '', 'hex');
  const own = Buffer.from(signature(permit, secret), 'hex');
  // The numbers are signed as they were written, so that no other way to write them is good.
  const exact = String(permit.object.size) === size && String(permit.expires) === expires;
  if (!exact || given.length !== own.length || !timingSafeEqual(given, own))
    return 'signature: this URL was not signed here, or was changed';
  if (permit.expires <= now) return 'expires: this URL is too old, ask for another';
  return permit;
}

/** Fields are separated by what none of them contains. */
function signature({ method, object, owner = userId(''), expires }: MediaPermit, secret: Uint8Array): string {
  const { mediaId: id, size, contentType, sha256 } = object;
  const text = ['parley media 2', method, id, size, contentType, sha256, owner, expires].join('\n');
  return createHmac('sha256', secret).update(text).digest('hex');
}
