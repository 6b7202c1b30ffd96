import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { ISocketFactory } from 'kafkajs';

/** The connections of one Kafka client. Two things kafkajs does not tell or do are told and done here. */
export interface GuardedSockets {
  readonly factory: ISocketFactory;
  /** Produce requests that were given to a connection: from then on their outcome is unknown until a broker answers. */
  readonly produceRequests: number;
  readonly isCut: boolean;
  /**
   * Ends every connection and allows no other. A kafkajs client that was given up goes on retrying, reconnects, and would
   * append what the caller has already been told is unknown, behind records that were published later.
   */
  cut(): void;
}

const KEEP_ALIVE_MS = 60_000;
const API_KEY_PRODUCE = 0;
/** A request begins with its length (int32) and its API key (int16). */
const API_KEY_AT = 4;

export function createGuardedSockets(connect: ISocketFactory = connectSocket): GuardedSockets {
  const open = new Set<Socket>();
  let isCut = false;
  let produceRequests = 0;

  function guard(socket: Socket): void {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
    const write = socket.write.bind(socket) as (...args: unknown[]) => boolean;
    socket.write = (...args: unknown[]): boolean => {
      const [chunk] = args;
      if (Buffer.isBuffer(chunk) && isProduce(chunk)) produceRequests++;
      return write(...args);
    };
  }

  return {
    factory(args) {
      if (isCut) throw new Error('this client was given up');
      const socket = connect(args);
      guard(socket);
      return socket;
    },
    get produceRequests() {
      return produceRequests;
    },
    get isCut() {
      return isCut;
    },
    cut() {
      isCut = true;
      // With an error: kafkajs listens to `error` and `end`, and never hears of a mere `close`.
      for (const socket of open) socket.destroy(new Error('this client was given up'));
    },
  };
}

function isProduce(request: Buffer): boolean {
  return request.length > API_KEY_AT + 2 && request.readInt16BE(API_KEY_AT) === API_KEY_PRODUCE;
}

/** As kafkajs connects by default. */
export const connectSocket: ISocketFactory = ({ host, port, ssl, onConnect }) => {
  const socket =
    (ssl as typeof ssl | undefined) === undefined || ssl === null
      ? connectTcp({ host, port }, onConnect)
      : connectTls({ host, port, ...(isIP(host) === 0 ? { servername: host } : {}), ...ssl }, onConnect);
  socket.setKeepAlive(true, KEEP_ALIVE_MS);
  // Requests are written whole: waiting for more only adds the peer's delayed acknowledgement to each.
  socket.setNoDelay(true);
  return socket;
};
