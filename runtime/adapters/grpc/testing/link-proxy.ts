import { connect, createServer, type Server, type Socket } from 'node:net';

/** Stands between two processes. `swallowing`: connections stay open and nothing passes, as after a lost route. For tests. */
export class LinkProxy {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #swallowing = false;
  #target: { readonly host: string; readonly port: number };

  private constructor(target: string) {
    this.#target = parse(target);
    this.#server = createServer((client) => this.#relay(client));
  }

  /** @param target `host:port`, may be set later. */
  static async start(target = '127.0.0.1:1'): Promise<LinkProxy> {
    const proxy = new LinkProxy(target);
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get address(): string {
    const address = this.#server.address();
    return `127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
  }

  leadTo(target: string): void {
    this.#target = parse(target);
  }

  swallow(on: boolean): void {
    this.#swallowing = on;
  }

  cutAll(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.cutAll();
    await closed;
  }

  #relay(client: Socket): void {
    const server = connect(this.#target);
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      this.#sockets.add(from);
      from.on('data', (bytes: Buffer) => {
        if (!this.#swallowing) to.write(bytes);
      });
      from.on('error', () => undefined);
      from.on('close', () => {
        this.#sockets.delete(from);
        // Who is cut off does not hear that the other has gone.
        if (!this.#swallowing) to.destroy();
      });
    }
  }
}

function parse(target: string): { host: string; port: number } {
  const [host = '', port = ''] = target.split(':');
  return { host, port: Number(port) };
}
