import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Logger } from 'pino';
import { StartError } from './start-error.ts';

/**
 * Takes the port. @returns the URL under which it answers.
 * @throws StartError when the port cannot be had. @param options `next` is a command that would use another port.
 */
export function listenHttp(
  http: Server,
  host: string,
  port: number,
  options: { readonly next: string; readonly log: Logger },
): Promise<string> {
  return new Promise((resolve, reject) => {
    const onError = (error: NodeJS.ErrnoException): void =>
      reject(listenError(error, host, port, options.next));
    http.once('error', onError);
    http.listen({ port, host, backlog: 4_096 }, () => {
      http.off('error', onError);
      // A connection that could not be accepted (no descriptors left) is no reason to end those that were.
      http.on('error', (err) => options.log.error({ err }, 'a connection could not be accepted'));
      const { port: actual } = http.address() as AddressInfo;
      const anywhere = host === '0.0.0.0' || host === '::';
      const name = anywhere ? 'localhost' : host.includes(':') ? `[${host}]` : host;
      resolve(`http://${name}:${actual}`);
    });
  });
}

const NO_ADDRESS: ReadonlySet<string> = new Set(['EADDRNOTAVAIL', 'ENOTFOUND', 'EAI_AGAIN']);

function listenError(error: NodeJS.ErrnoException, host: string, port: number, next: string): Error {
  if (error.code === 'EADDRINUSE')
    return new StartError('port-in-use', `port ${port} of ${host} is in use by another process`, next);
  if (error.code === 'EACCES')
    return new StartError('port-not-allowed', `this user may not listen on port ${port}`, next);
  if (NO_ADDRESS.has(error.code ?? ''))
    return new StartError(
      'address-unknown',
      `${host} is no address of this machine; localhost is one, 0.0.0.0 are all`,
    );
  return error;
}

/**
 * Ends requests that are under way within a second, idle connections at once. @param cutOthers ends the connections that
 * the server has handed over: it waits for them, but does not know them any more.
 */
export function closeHttp(http: Server, cutOthers: () => void): Promise<void> {
  return new Promise((resolve) => {
    const late = setTimeout(() => {
      http.closeAllConnections();
      cutOthers();
    }, 1_000);
    http.close(() => {
      clearTimeout(late);
      resolve();
    });
    http.closeIdleConnections();
  });
}
