import { SignJWT, errors, jwtVerify, type JWTPayload } from 'jose';
import { deviceId, userId } from '../../core/contract/ids.ts';
import { SECOND, micros } from '../../core/contract/time.ts';
import type { Identity, TokenVerifier, Verification } from '../ports/token-verifier.ts';
import { isWireId } from './wire-id.ts';

/** RFC 7518 section 3.2: an HS256 key has at least the size of the hash. A shorter one can be guessed offline. */
const SECRET_BYTES = 32;
const AUDIENCE = 'parley';
/** How far clocks of issuer and gateway may differ, seconds. */
const CLOCK_TOLERANCE_S = 5;
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
        const { payload } = await jwtVerify(token, secret, {
          // Exactly one algorithm: `none` and every confusion of key types end here.
          algorithms: ['HS256'],
          audience: AUDIENCE,
          requiredClaims: ['exp', 'iat', 'sub', 'did'],
          clockTolerance: CLOCK_TOLERANCE_S,
        });
        return identityOf(payload);
      } catch (error) {
        return refused(reasonOf(error));
      }
    },
  };
}

function identityOf(payload: JWTPayload): Verification {
  const { sub, exp, iat } = payload;
  const did = payload['did'];
  if (sub === undefined || !isWireId('u', sub)) return refused('the claim sub is not a user id such as u_3');
  if (typeof did !== 'string' || !isWireId('d', did))
    return refused('the claim did is not a device id such as d_7');
  if (exp === undefined || iat === undefined) return refused('the claims exp and iat are required');
  if (iat > Date.now() / 1_000 + CLOCK_TOLERANCE_S) return refused('the claim iat lies in the future');
  const expiresAt = micros(Math.floor(exp) * SECOND);
  return { ok: true, identity: { userId: userId(sub), deviceId: deviceId(did), expiresAt } };
}

/** Says which claim is wrong, never what the token was. */
function reasonOf(error: unknown): string {
  if (error instanceof errors.JWTExpired) return 'the token has expired';
  if (error instanceof errors.JWTClaimValidationFailed) return `the claim ${error.claim} is missing or wrong`;
  if (error instanceof errors.JOSEAlgNotAllowed) return 'the algorithm of the token is not accepted';
  if (error instanceof errors.JWSSignatureVerificationFailed) return 'the signature of the token is wrong';
  return 'the token is not a valid JWT';
}

function refused(detail: string): Verification {
  return { ok: false, detail };
}
