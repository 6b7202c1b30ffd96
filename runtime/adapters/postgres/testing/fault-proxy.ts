import { connect, createServer, type Server, type Socket } from 'node:net';

/**
 * What happens to the next COMMIT that passes: `cut-before` loses it and the connection, `cut-after` delivers it and
 * loses the answer with the connection, `mute` delivers it and loses the answer alone, as a half-open connection does.
 */
export type CommitFault = 'cut-before' | 'cut-after' | 'mute';

/** Stands between a store and its PostgreSQL and breaks connections at the moments that matter. For tests. */
export class FaultProxy {
  readonly #server: Server;
  readonly #pairs = new Set<readonly [Socket, Socket]>();
  #faults: CommitFault[] = [];
  #mute = false;

  private constructor(socketPath: string) {
    this.#server = createServer((client) => this.#relay(client, connect(socketPath)));
  }

  static async start(socketPath: string): Promise<FaultProxy> {
    const proxy = new FaultProxy(socketPath);
    await proxy.listen(0);
    return proxy;
  }

  get port(): number {
    const address = this.#server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  listen(port: number): Promise<void> {
    return new Promise((resolve) => this.#server.listen(port, '127.0.0.1', resolve));
  }

  /** Faults for the next COMMITs, one each. */
  breakCommits(...faults: CommitFault[]): void {
    this.#faults.push(...faults);
  }

  /** While on, nothing passes in either direction, and nobody is told: as when a cable is cut. What was lost stays lost. */
  mute(on: boolean): void {
    this.#mute = on;
    if (!on) this.cutAll();
  }

  cutAll(): void {
    for (const [client, server] of this.#pairs) {
      client.destroy();
      server.destroy();
    }
  }

  /** Refuses connections until `listen`. */
  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.cutAll();
    await closed;
  }

  #relay(client: Socket, server: Socket): void {
    const pair = [client, server] as const;
    this.#pairs.add(pair);
    let fault: CommitFault | undefined;
    const end = (): void => {
      this.#pairs.delete(pair);
      client.destroy();
      server.destroy();
    };
    client.on('data', (bytes: Buffer) => {
      if (this.#mute) return;
      if (fault === undefined && bytes.includes('COMMIT\0')) fault = this.#faults.shift();
      if (fault === 'cut-before') end();
      else server.write(bytes);
    });
    server.on('data', (bytes: Buffer) => {
      if (this.#mute) return;
      if (fault === undefined) client.write(bytes);
      else if (fault === 'cut-after' && bytes.includes('COMMIT\0')) end();
    });
    for (const socket of pair) {
      socket.on('error', end);
      socket.on('close', end);
    }
  }
}
