import { deviceId, userId, type DeviceId, type UserId } from '../../core/contract/ids.ts';
import { fromBase64 } from './bytes-base64.ts';

/**
 * Three parts of base64url and nothing around them: a line end behind a token that was read from a file would be found no
 * earlier than in the header of a request, by an error that does not name the token.
 */
const JWT = /^[\w-]+\.([\w-]+)\.[\w-]*$/;

/**
 * Reads who a token speaks for. It does not check the signature: only the server can, and a client that lies to itself
 * is refused there.
 * @throws TypeError when `token` is not a JWT with `sub` and `did`.
 */
export function tokenClaims(token: string): { readonly userId: UserId; readonly deviceId: DeviceId } {
  const payload = JWT.exec(token)?.[1];
  const wrong = new TypeError('the token is not a JWT with the claims sub and did');
  if (payload === undefined) throw wrong;
  let claims: { sub?: unknown; did?: unknown };
  try {
    const base64 = payload.replaceAll('-', '+').replaceAll('_', '/');
    claims = JSON.parse(new TextDecoder().decode(fromBase64(base64))) as typeof claims;
  } catch {
    throw wrong;
  }
  if (typeof claims.sub !== 'string' || typeof claims.did !== 'string') throw wrong;
  return { userId: userId(claims.sub), deviceId: deviceId(claims.did) };
}
