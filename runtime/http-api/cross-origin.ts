import type { IncomingMessage, ServerResponse } from 'node:http';

/** Seconds for which a browser need not ask again. */
const MAX_AGE_S = 600;

/**
 * Lets pages of other origins call this server (Fetch standard, "CORS protocol"). Tokens travel in a header that a page must
 * have, never in a cookie, so that a page which is let in has no more than it brought.
 * @param allowed exactly as browsers say it: `https://app.example`. Empty for nobody.
 * @returns whether the request was a browser's question beforehand, and has been answered.
 */
export function answerCrossOrigin(
  request: IncomingMessage,
  response: ServerResponse,
  allowed: readonly string[],
): boolean {
  if (allowed.length === 0) return false;
  const { origin } = request.headers;
  // A cache must not hand the answer for one origin to another.
  response.setHeader('vary', 'origin');
  if (origin === undefined || !allowed.includes(origin)) return false;
  response.setHeader('access-control-allow-origin', origin);
  response.setHeader('access-control-expose-headers', 'location, retry-after');
  if (request.method !== 'OPTIONS' || request.headers['access-control-request-method'] === undefined)
    return false;
  response.writeHead(204, {
    'access-control-allow-methods': 'GET, POST, PUT, DELETE',
    'access-control-allow-headers': 'authorization, content-type, range, if-none-match',
    'access-control-max-age': String(MAX_AGE_S),
  });
  response.end();
  return true;
}
