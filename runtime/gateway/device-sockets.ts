import type { Duplex } from 'node:stream';
import type { Logger } from 'pino';
import type { RawData, WebSocket } from 'ws';
import { connId, type ConnId } from '../../core/contract/ids.ts';
import type { Limits } from '../../core/contract/limits.ts';
import type { GatewayEvent } from '../../core/session/gateway-event.ts';
import { decodeClientFrame } from '../../core/wire/client-codec.ts';
import { encodeServerFrame } from '../../core/wire/server-codec.ts';
import { CLOSE_CODE, type ServerFrame } from '../../core/wire/frames.ts';
import type { Metrics } from '../observability/metrics.ts';
import type { FrameMeter, MeteredConnection } from './frame-meter.ts';
import { createSocketWriter } from './socket-writer.ts';
import type { AcceptedSocket } from './upgrade.ts';

/** The device connections of one gateway, by connection number. */
export interface DeviceSockets {
  accept(accepted: AcceptedSocket): void;
  /** Writes a frame; ignored when the connection is gone. */
  send(conn: ConnId, frame: ServerFrame): void;
  /** Closes after the frames before it. */
  close(conn: ConnId, code: number, reason: string): void;
  readonly count: number;
  /** Cuts what is left, without a closing handshake. */
  terminateAll(): void;
}

export interface DeviceSocketsOptions {
  readonly limits: Limits;
  readonly metrics: Metrics;
  readonly meter: FrameMeter;
  readonly log: Logger;
  /** A number that no other connection of this gateway has. */
  readonly nextConn: () => ConnId;
  readonly dispatch: (event: GatewayEvent) => void;
}

interface Connection extends MeteredConnection {
  readonly conn: ConnId;
  readonly socket: WebSocket;
  readonly raw: Duplex;
  paused: boolean;
}

/** @returns sockets that report every connection, frame, full buffer and close to the gateway machine. */
export function createDeviceSockets(options: DeviceSocketsOptions): DeviceSockets {
  const { limits, metrics, meter, log, nextConn, dispatch } = options;
  const connections = new Map<ConnId, Connection>();
  /** Closed by the machine, closing handshake not finished. */
  const closing = new Set<WebSocket>();
  const highWater = limits.socketBufferBytes / 2;

  const writer = createSocketWriter((conn, bytes) => {
    if (bytes <= highWater) return;
    const connection = connections.get(connId(conn));
    if (connection === undefined) return;
    pauseUntilDrained(connection, dispatch);
    dispatch({ kind: 'buffered', conn: connection.conn, bytes });
  });

  function forget(connection: Connection, code: number): boolean {
    if (!connections.delete(connection.conn)) return false;
    metrics.connections.set(connections.size);
    metrics.connectionsClosed.inc({ code });
    log.debug({ conn: connection.conn, code }, 'connection closed');
    return true;
  }

  function received(connection: Connection, data: RawData, isBinary: boolean): void {
    const { conn, socket } = connection;
    // What still arrives behind our own close belongs to no session.
    if (!connections.has(conn)) return;
    if (isBinary) {
      forget(connection, CLOSE_CODE.binaryFrame);
      closing.add(socket);
      socket.close(CLOSE_CODE.binaryFrame, 'frames are text');
      dispatch({ kind: 'closed', conn });
      return;
    }
    const decoded = decodeClientFrame(textOf(data), limits);
    meter.received(connection, decoded);
    if (decoded.ok) dispatch({ kind: 'frame', conn, frame: decoded.frame });
    else {
      const { message, code, clientMsgId } = decoded;
      dispatch({ kind: 'bad-frame', conn, message, code, clientMsgId });
    }
  }

  return {
    accept({ socket, raw, identity, address }) {
      const conn = nextConn();
      const connection: Connection = { conn, socket, raw, sends: undefined, paused: false };
      connections.set(conn, connection);
      metrics.connections.set(connections.size);
      metrics.connectionsOpened.inc();
      log.debug({ conn, userId: identity.userId, deviceId: identity.deviceId }, 'connection opened');
      socket.on('message', (data, isBinary) => received(connection, data, isBinary));
      // An error of the stream or the protocol is always followed by `close`.
      socket.on('error', () => undefined);
      socket.on('close', (code) => {
        closing.delete(socket);
        if (forget(connection, code)) dispatch({ kind: 'closed', conn });
      });
      dispatch({ kind: 'open', conn, ...identity, address });
    },
    send(conn, frame) {
      const connection = connections.get(conn);
      if (connection === undefined || connection.socket.readyState !== connection.socket.OPEN) return;
      meter.sent(connection, frame);
      writer.write(conn, connection.socket, connection.raw, encodeServerFrame(frame));
    },
    close(conn, code, reason) {
      const connection = connections.get(conn);
      if (connection === undefined || !forget(connection, code)) return;
      // A paused socket would never read the peer's half of the closing handshake.
      if (connection.paused) connection.socket.resume();
      closing.add(connection.socket);
      connection.socket.close(code, closeReason(reason));
    },
    get count() {
      return connections.size;
    },
    terminateAll() {
      writer.flush();
      for (const { socket } of connections.values()) socket.terminate();
      for (const socket of closing) socket.terminate();
    },
  };
}

/** Stops reading from a peer that does not read: what it asks for would only be buffered. */
function pauseUntilDrained(connection: Connection, dispatch: (event: GatewayEvent) => void): void {
  if (connection.paused) return;
  const { conn, socket, raw } = connection;
  connection.paused = true;
  socket.pause();
  raw.once('drain', () => {
    connection.paused = false;
    socket.resume();
    dispatch({ kind: 'buffered', conn, bytes: socket.bufferedAmount });
  });
}

/** RFC 6455 section 5.5: a control frame carries at most 125 bytes, two of which are the code. */
function closeReason(text: string): string {
  const bytes = Buffer.from(text, 'utf8');
  return bytes.length <= 123 ? text : bytes.toString('utf8', 0, 120).replace(/\uFFFD+$/, '');
}

function textOf(data: RawData): string {
  if (Buffer.isBuffer(data)) return data.toString('utf8');
  if (Array.isArray(data)) return Buffer.concat(data).toString('utf8');
  return Buffer.from(data).toString('utf8');
}
