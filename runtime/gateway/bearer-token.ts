import type { IncomingHttpHeaders } from 'node:http';

/** The subprotocol that frames follow. */
export const SUBPROTOCOL = 'parley.v1';
const BEARER_PROTOCOL = 'bearer.';

/**
 * Finds the token of a request: `Authorization: Bearer …`, or the subprotocol `bearer.<jwt>` of a browser's WebSocket.
 * Never the query string, which reaches logs.
 */
export function bearerToken(headers: IncomingHttpHeaders): string | undefined {
  const authorization = headers.authorization;
  if (authorization !== undefined) return /^Bearer +(\S+)$/i.exec(authorization)?.[1];
  const offered = offeredProtocols(headers).find((protocol) => protocol.startsWith(BEARER_PROTOCOL));
  return offered?.slice(BEARER_PROTOCOL.length);
}

/** The subprotocols that the request offers, in its order. */
export function offeredProtocols(headers: IncomingHttpHeaders): string[] {
  const header = headers['sec-websocket-protocol'];
  return header === undefined ? [] : header.split(',').map((protocol) => protocol.trim());
}
