import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';

/**
 * Writes the frames of one turn of the event loop with one system call per socket: a fan-out to a thousand devices, or
 * a replay page of a hundred messages, would otherwise pay a call per frame.
 */
export interface SocketWriter {
  /** @param raw the stream under `socket`, corked until the end of the turn. */
  write(conn: number, socket: WebSocket, raw: Duplex, text: string): void;
  /** Sends what has gathered, now. */
  flush(): void;
}

/** @param onFlushed called for each socket that was written to, with the bytes that its peer has not taken. */
export function createSocketWriter(onFlushed: (conn: number, bufferedBytes: number) => void): SocketWriter {
  let dirty = new Map<number, { readonly socket: WebSocket; readonly raw: Duplex }>();
  let flushDue = false;

  function flush(): void {
    flushDue = false;
    const written = dirty;
    dirty = new Map();
    for (const { raw } of written.values()) raw.uncork();
    for (const [conn, { socket }] of written) onFlushed(conn, socket.bufferedAmount);
  }

  return {
    write(conn, socket, raw, text) {
      if (!dirty.has(conn)) {
        dirty.set(conn, { socket, raw });
        raw.cork();
        if (!flushDue) {
          flushDue = true;
          setImmediate(flush);
        }
      }
      socket.send(text);
    },
    flush,
  };
}
