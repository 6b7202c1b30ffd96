import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';

/** Something between a device and its server that does not do what it should. */
export interface HostileProxy {
  readonly url: string;
  /** What becomes of upgrades: carried on, answered 403, or taken and never answered. */
  upgrades: 'pass' | 'refuse' | 'hang';
  /** Asked for each request: whether its answer breaks off in the middle, behind the server's back. */
  cuts: (request: IncomingMessage) => boolean;
  /** Upgrades seen, and answers cut. */
  readonly seen: { upgrades: number; cut: number };
  close(): Promise<void>;
}

export async function startHostileProxy(target: string): Promise<HostileProxy> {
  const { hostname, port } = new URL(target);
  const streams = new Set<Duplex>();
  const seen = { upgrades: 0, cut: 0 };

  function forward(incoming: IncomingMessage, outgoing: ServerResponse): void {
    const { method, url, headers } = incoming;
    const asked = request({ hostname, port, method, path: url, headers }, (answer) => {
      if (!proxy.cuts(incoming)) {
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(outgoing);
        return;
      }
      // The server sees a response that was read to its end.
      seen.cut++;
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.on('end', () => {
        const body = Buffer.concat(chunks);
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
        outgoing.write(body.subarray(0, Math.ceil(body.length / 2)), () => outgoing.destroy());
      });
    });
    asked.on('error', () => outgoing.destroy());
    outgoing.on('close', () => {
      if (!outgoing.writableFinished) asked.destroy();
    });
    incoming.pipe(asked);
  }

  function upgrade(incoming: IncomingMessage, socket: Duplex, head: Buffer): void {
    seen.upgrades++;
    socket.on('error', () => undefined);
    streams.add(socket);
    if (proxy.upgrades === 'refuse') socket.end('HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n');
    if (proxy.upgrades !== 'pass') return;
    const server = connect(Number(port), hostname, () => {
      const lines = [`${incoming.method} ${incoming.url} HTTP/1.1`];
      for (let i = 0; i < incoming.rawHeaders.length; i += 2)
        lines.push(`${incoming.rawHeaders[i]}: ${incoming.rawHeaders[i + 1]}`);
      server.write(`${lines.join('\r\n')}\r\n\r\n`);
      server.write(head);
      server.pipe(socket).pipe(server);
    });
    server.on('error', () => socket.destroy());
    streams.add(server);
  }

  const http = createServer(forward);
  http.on('upgrade', upgrade);
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  const proxy: HostileProxy = {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    upgrades: 'pass',
    cuts: () => false,
    seen,
    async close() {
      for (const stream of streams) stream.destroy();
      const closed = new Promise((resolve) => http.close(resolve));
      http.closeAllConnections();
      await closed;
    },
  };
  return proxy;
}
