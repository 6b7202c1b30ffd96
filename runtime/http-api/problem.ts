import { ERROR_RETRYABLE, type ErrorCode } from '../../core/wire/frames.ts';
import type { Verification } from '../ports/token-verifier.ts';

/** A problem document (RFC 9457) with the error codes of the wire protocol. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly code: ErrorCode;
  readonly detail: string;
  readonly retryable: boolean;
  readonly retryAfterMs?: number;
}

export const PROBLEM_TYPE = 'application/problem+json';

const TITLES: Record<ErrorCode, string> = {
  bad_frame: 'The request is not valid',
  unauthenticated: 'A valid token is needed',
  not_a_member: 'Not a member of this chat',
  forbidden: 'Not allowed in this chat',
  no_such_chat: 'No such chat',
  too_large: 'The request is too large',
  rate_limited: 'Too many requests',
  idempotency_conflict: 'The same key was used for something else',
  overloaded: 'The server has too much to do',
  unavailable: 'The server cannot answer now',
  internal: 'The server has a defect',
};

const STATUS: Record<ErrorCode, number> = {
  bad_frame: 400,
  unauthenticated: 401,
  not_a_member: 403,
  forbidden: 403,
  no_such_chat: 404,
  too_large: 413,
  rate_limited: 429,
  idempotency_conflict: 409,
  overloaded: 503,
  unavailable: 503,
  internal: 500,
};

/** @param status overrides the status that belongs to the code. */
export function problem(
  code: ErrorCode,
  detail: string,
  options: { readonly status?: number; readonly retryAfterMs?: number | undefined } = {},
): Problem {
  return {
    type: `urn:parley:error:${code}`,
    title: TITLES[code],
    status: options.status ?? STATUS[code],
    code,
    detail,
    retryable: ERROR_RETRYABLE[code],
    ...(options.retryAfterMs === undefined ? {} : { retryAfterMs: options.retryAfterMs }),
  };
}

/** A token that was not believed: `unavailable` as long as it may still be good, because devices take 401 as final. */
export function tokenProblem({ detail, retryAfterMs }: Extract<Verification, { ok: false }>): Problem {
  return retryAfterMs === undefined
    ? problem('unauthenticated', detail)
    : problem('unavailable', detail, { retryAfterMs });
}

/** The headers that go with a problem besides its content type. */
export function problemHeaders({ status, code, retryAfterMs }: Problem): Record<string, string> {
  const headers: Record<string, string> = {};
  if (code === 'unauthenticated') headers['www-authenticate'] = 'Bearer realm="parley"';
  if (retryAfterMs !== undefined) headers['retry-after'] = String(Math.ceil(retryAfterMs / 1_000));
  else if (status === 503) headers['retry-after'] = '1';
  return headers;
}
