import { WebSocket, type ClientOptions } from 'ws';
import type { OpenSocket } from './client-socket.ts';

/** Largest frame taken from a server: one message of 64 KiB in base64, or the WELCOME of a device with 10,000 chats. */
const FRAME_BYTES = 4 * 1024 * 1024;
const CLOSE_TIMEOUT_MS = 2_000;

/** Opens connections with `ws`: faster than Node's own WebSocket, and it tells why an upgrade was refused. */
export const openNodeSocket: OpenSocket = (wsUrl, token, events) => {
  const settings: ClientOptions & { closeTimeout: number } = {
    headers: { authorization: `Bearer ${token}` },
    perMessageDeflate: false,
    maxPayload: FRAME_BYTES,
    closeTimeout: CLOSE_TIMEOUT_MS,
  };
  const socket = new WebSocket(wsUrl, ['parley.v1'], settings);
  let refused: number | undefined;
  socket.on('open', () => events.open());
  socket.on('message', (data, isBinary) => {
    if (!isBinary) events.text((data as Buffer).toString('utf8'));
  });
  socket.on('unexpected-response', (request, response) => {
    refused = response.statusCode ?? 500;
    response.resume();
    request.destroy();
    events.refused(refused);
  });
  // An error is always followed by `close`.
  socket.on('error', () => undefined);
  socket.on('close', (code) => {
    if (refused === undefined) events.closed(code);
  });
  return {
    send(text) {
      if (socket.readyState === WebSocket.OPEN) socket.send(text);
    },
    close(code) {
      if (socket.readyState === WebSocket.CONNECTING) socket.terminate();
      else socket.close(code);
    },
  };
};
