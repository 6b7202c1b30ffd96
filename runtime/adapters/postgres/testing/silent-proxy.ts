import { connect, createServer, type Server, type Socket } from 'node:net';

/** How a connection goes: all of it, all until the server is ready for the first query, or not a byte. */
export type Voice = 'whole' | 'login' | 'none';

/** ReadyForQuery, outside a transaction (https://www.postgresql.org/docs/15/protocol-message-formats.html). */
const READY = Buffer.from('Z\0\0\0\x05I', 'latin1');

/**
 * Stands between a client and its PostgreSQL and falls silent, as a machine does whose cable was cut or that hangs: the
 * connection stays, nobody is told, nothing comes. For tests.
 */
export class SilentProxy {
  /** Of connections from now on. */
  voice: Voice = 'whole';
  /** The next connections have this voice, one each; those after them `voice`. */
  readonly next: Voice[] = [];
  /** Connections so far. */
  count = 0;
  #isMute = false;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(socketPath: string) {
    this.#server = createServer((client) => this.#relay(client, connect(socketPath)));
  }

  static async start(socketPath: string): Promise<SilentProxy> {
    const proxy = new SilentProxy(socketPath);
    await new Promise<void>((resolve) => {
      proxy.#server.listen(0, '127.0.0.1', resolve);
    });
    return proxy;
  }

  get port(): number {
    const address = this.#server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  /** Connections that are there fall silent. */
  mute(): void {
    this.#isMute = true;
  }

  /** Ends every connection, and lets new ones speak. */
  cutAll(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#isMute = false;
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.cutAll();
    await closed;
  }

  #relay(client: Socket, server: Socket): void {
    this.count++;
    const voice = this.next.shift() ?? this.voice;
    let isSilent = voice === 'none';
    client.on('data', (bytes: Buffer) => {
      if (!isSilent && !this.#isMute) server.write(bytes);
    });
    server.on('data', (bytes: Buffer) => {
      if (isSilent || this.#isMute) return;
      client.write(bytes);
      if (voice === 'login' && bytes.includes(READY)) isSilent = true;
    });
    for (const socket of [client, server]) {
      this.#sockets.add(socket);
      const end = (): void => {
        this.#sockets.delete(socket);
        client.destroy();
        server.destroy();
      };
      socket.on('error', end);
      socket.on('close', end);
    }
  }
}
