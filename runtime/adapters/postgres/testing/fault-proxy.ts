import { connect, createServer, type Server, type Socket } from 'node:net';

/**
 * What happens to the next COMMIT that passes:
 * - `cut-before` loses it and the connection, `cut-after` delivers it and loses the answer with the connection, `mute`
 *   delivers it and loses the answer alone, as a half-open connection does.
 * - `hold-commit` keeps the COMMIT back until `release`, with everything before it delivered; `hold-all` cuts the client
 *   off and keeps back the whole transaction, which then comes out of nowhere.
 */
export type CommitFault = 'cut-before' | 'cut-after' | 'mute' | 'hold-commit' | 'hold-all';

/** A simple query (https://www.postgresql.org/docs/15/protocol-message-formats.html): type, length, text. */
const COMMIT = Buffer.from('Q\0\0\0\x0bCOMMIT\0', 'latin1');
const BEGIN = Buffer.from('Q\0\0\0\x0aBEGIN\0', 'latin1');
/** How the server says that it is done with it. */
const DONE = ['COMMIT\0', 'ROLLBACK\0'];

interface Pair {
  readonly client: Socket;
  readonly server: Socket;
}

interface Held {
  readonly pair: Pair;
  readonly bytes: Buffer;
}

/** Stands between a store and its PostgreSQL and breaks connections at the moments that matter. For tests. */
export class FaultProxy {
  /** Where connections from now on lead. */
  socketPath: string;
  readonly #server: Server;
  readonly #pairs = new Set<Pair>();
  #faults: CommitFault[] = [];
  #held: Held[] = [];
  #mute = false;

  private constructor(socketPath: string) {
    this.socketPath = socketPath;
    this.#server = createServer((client) => this.#relay({ client, server: connect(this.socketPath) }));
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

  /** COMMITs that are kept back. */
  get held(): number {
    return this.#held.length;
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

  /** Delivers what has been kept back longest, and waits until the server is done with it. */
  async release(): Promise<void> {
    const oldest = this.#held.shift();
    if (oldest === undefined) return;
    const { pair, bytes } = oldest;
    const { client, server } = pair;
    if (server.destroyed) return;
    const done = new Promise<void>((resolve) => {
      server.on('data', (answer: Buffer) => {
        if (DONE.some((tag) => answer.includes(tag))) resolve();
      });
      server.once('close', () => resolve());
    });
    server.write(bytes);
    await done;
    if (client.destroyed) server.destroy();
  }

  cutAll(): void {
    for (const { client, server } of this.#pairs) {
      client.destroy();
      server.destroy();
    }
    for (const { pair } of this.#held.splice(0)) pair.server.destroy();
  }

  /** Refuses connections until `listen`. */
  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.cutAll();
    await closed;
  }

  #relay(pair: Pair): void {
    const { client, server } = pair;
    this.#pairs.add(pair);
    let fault: CommitFault | undefined;
    const end = (): void => {
      this.#pairs.delete(pair);
      client.destroy();
      if (!this.#held.some((held) => held.pair === pair)) server.destroy();
    };
    client.on('data', (bytes: Buffer) => {
      if (this.#mute) return;
      if (fault === undefined && bytes.includes(COMMIT)) fault = this.#faults.shift();
      switch (fault) {
        case 'cut-before':
          end();
          break;
        case 'hold-commit':
          fault = undefined;
          this.#hold(pair, bytes, bytes.indexOf(COMMIT));
          break;
        case 'hold-all':
          this.#hold(pair, bytes, bytes.indexOf(BEGIN));
          end();
          break;
        default:
          server.write(bytes);
      }
    });
    server.on('data', (bytes: Buffer) => {
      if (this.#mute || client.destroyed) return;
      if (fault === undefined) client.write(bytes);
      else if (fault === 'cut-after' && bytes.includes('COMMIT\0')) end();
    });
    for (const socket of [client, server]) {
      socket.on('error', end);
      socket.on('close', end);
    }
    server.on('close', () => {
      this.#held = this.#held.filter((held) => held.pair !== pair);
    });
  }

  #hold(pair: Pair, bytes: Buffer, from: number): void {
    if (from > 0) pair.server.write(bytes.subarray(0, from));
    this.#held.push({ pair, bytes: bytes.subarray(Math.max(0, from)) });
  }
}
