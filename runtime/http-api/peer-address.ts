import type { IncomingMessage } from 'node:http';
import { isIPv6 } from 'node:net';
import type { TLSSocket } from 'node:tls';

/** Who is at the other end of a request, and what he calls us. Headers count only when a trusted proxy writes them. */

/** @returns scheme and host, without a slash at the end: `https://chat.example`. */
export function originOf(request: IncomingMessage, trustProxy: boolean): string {
  const { headers, socket } = request;
  const forwarded = trustProxy ? first(headers['x-forwarded-proto']) : undefined;
  const scheme = forwarded ?? ((socket as Partial<TLSSocket>).encrypted === true ? 'https' : 'http');
  const host = (trustProxy ? first(headers['x-forwarded-host']) : undefined) ?? headers.host ?? '';
  const good = /^[\w.-]+(?::\d{1,5})?$|^\[[\da-f:.]+\](?::\d{1,5})?$/i.test(host);
  return `${scheme === 'https' ? 'https' : 'http'}://${good ? host : `localhost:${socket.localPort}`}`;
}

/**
 * What rate limits know a peer by: its address, or its /64 network where everyone has 2^64 of them (RFC 6177).
 * @returns undefined for this machine itself, which no limit holds up.
 */
export function addressOf(request: IncomingMessage, trustProxy: boolean): string | undefined {
  // The last entry is the one that our own proxy has written; those before it may be anybody's.
  const forwarded = trustProxy ? request.headers['x-forwarded-for'] : undefined;
  const text = (Array.isArray(forwarded) ? forwarded.join(',') : forwarded)?.split(',').at(-1)?.trim();
  const address = withoutPort(text ?? request.socket.remoteAddress ?? '').replace(/^::ffff:/i, '');
  if (address === '' || address === '::1' || address.startsWith('127.')) return undefined;
  return isIPv6(address) ? networkOf(address) : address;
}

/** Some proxies write the port too, which is another one with each connection: no limit would ever be reached. */
function withoutPort(text: string): string {
  const [, v4, v6] = /^(?:(\d+(?:\.\d+){3}):\d+|\[([^\]]*)\](?::\d+)?)$/.exec(text) ?? [];
  return v4 ?? v6 ?? text;
}

/** The first four of the eight groups of an IPv6 address. */
function networkOf(address: string): string {
  const [left = '', right] = address.split('%', 1)[0]?.split('::') ?? [];
  const head = left === '' ? [] : left.split(':');
  const tail = right === undefined || right === '' ? [] : right.split(':');
  const zeros = right === undefined ? 0 : Math.max(0, 8 - head.length - tail.length);
  const groups = [...head, ...Array.from({ length: zeros }, () => '0'), ...tail];
  return `${groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')}::/64`;
}

function first(header: string | string[] | undefined): string | undefined {
  return (Array.isArray(header) ? header[0] : header)?.split(',', 1)[0]?.trim();
}
