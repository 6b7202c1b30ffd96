import { errors, type JWTPayload, type JWTVerifyOptions } from 'jose';
import { deviceId, userId } from '../../core/contract/ids.ts';
import { SECOND, micros } from '../../core/contract/time.ts';
import type { Verification } from '../ports/token-verifier.ts';
import { isWireId } from './wire-id.ts';

/** What every token must say, whoever signed it. */

export const AUDIENCE = 'parley';
/** How far clocks of issuer and gateway may differ, seconds. */
const CLOCK_TOLERANCE_S = 5;
/**
 * A token that begins this much later, at most, is not refused for good: this node's clock may be behind, and the token is
 * good in a moment. Seconds.
 */
const EARLY_S = 60;
/** 2100: a token that is good for longer ends with the connection anyway, and its time stays an exact number. */
const LATEST_S = 4_102_444_800;

/** For `jwtVerify`. @param algorithms exactly those: `none` and every confusion of key types end here. */
export function claimRules(algorithms: readonly string[], audience: string): JWTVerifyOptions {
  return {
    algorithms: [...algorithms],
    audience,
    requiredClaims: ['exp', 'iat', 'sub', 'did'],
    clockTolerance: CLOCK_TOLERANCE_S,
  };
}

/** @param payload of a token whose signature, `aud` and `exp` have been verified. */
export function identityOf(payload: JWTPayload): Verification {
  const { sub, exp, iat } = payload;
  const did = payload['did'];
  if (sub === undefined || !isWireId('u', sub)) return refused('the claim sub is not a user id such as u_3');
  if (typeof did !== 'string' || !isWireId('d', did))
    return refused('the claim did is not a device id such as d_7');
  if (exp === undefined || iat === undefined) return refused('the claims exp and iat are required');
  const early = earlyMs(iat);
  if (early > 0) return notYet('iat', early);
  const expiresAt = micros(Math.floor(Math.min(exp, LATEST_S)) * SECOND);
  return { ok: true, identity: { userId: userId(sub), deviceId: deviceId(did), expiresAt } };
}

/** How long until a time of the issuer's clock is not in the future for us, milliseconds. */
function earlyMs(seconds: number): number {
  return (seconds - CLOCK_TOLERANCE_S) * 1_000 - Date.now();
}

function notYet(claim: string, early: number): Verification {
  const detail = `the claim ${claim} lies in the future`;
  return early > EARLY_S * 1_000 ? refused(detail) : { ok: false, detail, retryAfterMs: Math.ceil(early) };
}

/** @param error of `jwtVerify`, which has found something wrong with the token. */
export function refusedFor(error: unknown): Verification {
  if (error instanceof errors.JWTClaimValidationFailed && error.claim === 'nbf') {
    const { nbf } = error.payload;
    if (typeof nbf === 'number') return notYet('nbf', earlyMs(nbf));
  }
  return refused(reasonOf(error));
}

/** Says which claim is wrong, never what the token was. */
function reasonOf(error: unknown): string {
  if (error instanceof errors.JWTExpired) return 'the token has expired';
  if (error instanceof errors.JWTClaimValidationFailed) return `the claim ${error.claim} is missing or wrong`;
  if (error instanceof errors.JOSEAlgNotAllowed) return 'the algorithm of the token is not accepted';
  if (error instanceof errors.JWSSignatureVerificationFailed) return 'the signature of the token is wrong';
  return 'the token is not a valid JWT';
}

export function refused(detail: string): Verification {
  return { ok: false, detail };
}
