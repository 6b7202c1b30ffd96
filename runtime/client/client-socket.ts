/** A connection as the SDK sees it: text frames, and one end. */
export interface ClientSocket {
  /** Ignored once the connection is not open. */
  send(text: string): void;
  close(code: number): void;
}

/** Exactly one of `closed` and `refused` is called, once, and nothing after it. */
export interface SocketEvents {
  readonly open: () => void;
  readonly text: (text: string) => void;
  /** @param code as in RFC 6455; 1006 when the connection just broke. */
  readonly closed: (code: number) => void;
  /** The upgrade was answered with this HTTP status instead. */
  readonly refused: (status: number) => void;
}

/** Opens a connection to `wsUrl` with a bearer token. */
export type OpenSocket = (wsUrl: string, token: string, events: SocketEvents) => ClientSocket;

const ABNORMAL = 1006;
/** Codes that a browser's WebSocket lets a page close with: 1000, and 3000 to 4999. */
const closable = (code: number): number => (code === 1000 || (code >= 3000 && code <= 4999) ? code : 1000);

/** Opens connections with the `WebSocket` of browsers (and of Node 22 and newer). */
export const openWebSocket: OpenSocket = (wsUrl, token, events) => {
  // A page cannot set headers; the token goes as a subprotocol, never into the URL, which reaches logs.
  const socket = new WebSocket(wsUrl, ['parley.v1', `bearer.${token}`]);
  let opened = false;
  socket.addEventListener('open', () => {
    opened = true;
    events.open();
  });
  socket.addEventListener('message', ({ data }) => {
    if (typeof data === 'string') events.text(data);
  });
  socket.addEventListener('close', ({ code }) => {
    if (opened) events.closed(code);
    else {
      reasonOfRefusal(wsUrl, token).then(
        (status) => events.refused(status),
        () => events.closed(ABNORMAL),
      );
    }
  });
  return {
    send(text) {
      if (socket.readyState === WebSocket.OPEN) socket.send(text);
    },
    close: (code) => socket.close(closable(code)),
  };
};

/**
 * A WebSocket hides why an upgrade failed. The same address without an upgrade says 401 when the token is the reason, and
 * 426 when the server would have upgraded, and something on the way did not.
 */
async function reasonOfRefusal(wsUrl: string, token: string): Promise<number> {
  const url = wsUrl.replace(/^ws/, 'http');
  const { status } = await fetch(url, { headers: { authorization: `Bearer ${token}` } });
  return status;
}
