import { SignJWT, jwtVerify } from 'jose';
import type { Identity, TokenVerifier } from '../ports/token-verifier.ts';
import { AUDIENCE, claimRules, identityOf, refused, refusedFor } from './verified-claims.ts';

/** RFC 7518 section 3.2: an HS256 key has at least the size of the hash. A shorter one can be guessed offline. */
const SECRET_BYTES = 32;
const LIFETIME_S = 24 * 3600;

/** Tokens of development mode: HS256 with one secret that never leaves this machine. */
export interface DevelopmentTokens extends TokenVerifier {
  /** Issues a token for a device. @param lifetimeS seconds from now; negative for one that has expired. */
  issue(identity: Pick<Identity, 'userId' | 'deviceId'>, lifetimeS?: number): Promise<string>;
}

/**
 * @param secret at least 32 random bytes.
 * @throws RangeError when the secret is shorter.
 */
export function createDevelopmentTokens(secret: Uint8Array): DevelopmentTokens {
  if (secret.length < SECRET_BYTES) {
    throw new RangeError(
      `the development secret has ${secret.length} bytes, at least ${SECRET_BYTES} are needed`,
    );
  }
  return {
    async issue({ userId: sub, deviceId: did }, lifetimeS = LIFETIME_S) {
      const now = Math.floor(Date.now() / 1_000);
      return new SignJWT({ did })
        .setProtectedHeader({ alg: 'HS256' })
        .setSubject(sub)
        .setAudience(AUDIENCE)
        .setIssuedAt(Math.min(now, now + lifetimeS))
        .setExpirationTime(now + lifetimeS)
        .sign(secret);
    },
    async verify(token) {
      if (token === undefined || token === '') return refused('no bearer token was sent');
      try {
        const { payload } = await jwtVerify(token, secret, claimRules(['HS256'], AUDIENCE));
        return identityOf(payload);
      } catch (error) {
        return refusedFor(error);
      }
    },
  };
}
