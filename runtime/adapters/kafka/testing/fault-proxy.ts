import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import type { ISocketFactory } from 'kafkajs';
import { connectSocket } from '../guarded-sockets.ts';

/**
 * What happens to the next Produce request that passes: `cut-before` loses it with the connection, `cut-after` delivers it and
 * loses the acknowledgement with the connection. `swallow` and `mute` lose the request or the acknowledgement alone, as a
 * half-open connection does.
 */
export type ProduceFault = 'cut-before' | 'cut-after' | 'swallow' | 'mute';

const API_KEY_PRODUCE = 0;

/** Stands between a client and a broker and breaks connections at the moments that matter. For tests. */
export class FaultProxy {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #faults: ProduceFault[] = [];
  #open = true;
  #held: (readonly [Socket, Buffer])[] | undefined;

  private constructor(host: string, port: number) {
    this.#server = createServer((client) => {
      if (this.#open) this.#relay(client, connect({ host, port }));
      else client.destroy();
    });
  }

  /** @param address `host:port` of the broker. */
  static async start(address: string): Promise<FaultProxy> {
    const [host = '', port = ''] = address.split(':');
    const proxy = new FaultProxy(host, Number(port));
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  /** Connects through this proxy, whatever address the broker says it has. */
  get connect(): ISocketFactory {
    const { port } = this.#server.address() as AddressInfo;
    return (args) => connectSocket({ ...args, host: '127.0.0.1', port });
  }

  /** Faults for the next Produce requests, one each. */
  breakProduce(...faults: ProduceFault[]): void {
    this.#faults.push(...faults);
  }

  /** Ends every connection and refuses others, until `heal`. */
  cut(): void {
    this.#open = false;
    for (const socket of this.#sockets) socket.destroy();
  }

  heal(): void {
    this.#open = true;
    this.#faults = [];
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.cut();
    await closed;
  }

  /** Holds everything back, both ways, with the connections open: the process behind it stands still. Until `thaw`. */
  freeze(): void {
    this.#held ??= [];
  }

  /** Lets everything go that was held back, in order. */
  thaw(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const [to, bytes] of held) to.write(bytes);
  }

  #pass(to: Socket, bytes: Buffer): void {
    if (this.#held === undefined) to.write(bytes);
    else this.#held.push([to, bytes]);
  }

  #relay(client: Socket, broker: Socket): void {
    this.#sockets.add(client).add(broker);
    let fault: ProduceFault | undefined;
    const end = (): void => {
      this.#sockets.delete(client);
      this.#sockets.delete(broker);
      client.destroy();
      broker.destroy();
    };
    client.on('data', (bytes: Buffer) => {
      // The clients under test write a request at once; its first bytes are its length and its API key.
      const isProduce = bytes.length > 6 && bytes.readInt16BE(4) === API_KEY_PRODUCE;
      if (isProduce && fault === undefined) fault = this.#faults.shift();
      if (fault === 'cut-before') end();
      else if (fault !== 'swallow') this.#pass(broker, bytes);
    });
    broker.on('data', (bytes: Buffer) => {
      if (fault === undefined) this.#pass(client, bytes);
      else if (fault === 'cut-after') end();
    });
    for (const socket of [client, broker]) {
      socket.on('error', end);
      socket.on('close', end);
    }
  }
}
