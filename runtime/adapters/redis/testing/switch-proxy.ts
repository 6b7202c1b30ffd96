import { connect, createServer, type Socket } from 'node:net';

/**
 * An address that leads to one server now and to another later, as a name or a virtual address does after a failover; and a
 * cable that can stop carrying. For tests.
 */
export interface SwitchProxy {
  readonly port: number;
  /** New connections go there; old ones stay where they are until `cut`. */
  leadTo(port: number): void;
  /** Breaks every connection. */
  cut(): void;
  /** While on, nothing passes in either direction and nobody is told; what came meanwhile stays lost. */
  mute(on: boolean): void;
  close(): Promise<void>;
}

export async function startSwitchProxy(target: number): Promise<SwitchProxy> {
  const sockets = new Set<Socket>();
  let to = target;
  let muted = false;
  const server = createServer((client) => {
    const behind = connect(to, '127.0.0.1');
    for (const [from, other] of [
      [client, behind],
      [behind, client],
    ] as const) {
      sockets.add(from);
      from.on('data', (bytes) => {
        if (!muted) other.write(bytes);
      });
      from.on('error', () => undefined);
      from.on('close', () => {
        sockets.delete(from);
        other.destroy();
      });
    }
  });
  const cut = (): void => sockets.forEach((socket) => socket.destroy());
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    leadTo: (port) => (to = port),
    cut,
    mute: (on) => (muted = on),
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      cut();
      await closed;
    },
  };
}
