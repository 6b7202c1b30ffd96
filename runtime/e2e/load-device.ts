import { randomUUID } from 'node:crypto';
import { WebSocket } from 'ws';
import { callHttp } from '../client/http-calls.ts';

/**
 * The lightest client that speaks the protocol correctly: for load, where the SDK's machine would cost the measuring side
 * more than the server. It sends, acknowledges what it gets, and keeps nothing.
 */
export interface LoadDevice {
  /** Sends `ciphertext`; `onAck` is told the latency. */
  send(chatId: string, ciphertext: string): void;
  /** Sends without an answer so far. */
  readonly waiting: number;
  readonly open: boolean;
  close(): Promise<void>;
}

export interface LoadDeviceOptions {
  readonly url: string;
  readonly user: number;
  readonly device: number;
  readonly onAck?: (latencyMs: number) => void;
  readonly onRefused?: (code: string) => void;
  /** A message of somebody else, as often as it comes. */
  readonly onMessage?: (ciphertext: string, seq: number) => void;
}

/** Connects a device, ready to send and to get. */
export type ConnectDevice = (options: LoadDeviceOptions) => Promise<LoadDevice>;

/** As the SDK: a receipt for every so many messages, or after so long. */
const RECEIPT_EVERY = 64;
const RECEIPT_DELAY_MS = 20;

interface Down {
  readonly frame: string;
  readonly clientMsgId?: string;
  readonly chatId?: string;
  readonly serverMsgId?: string;
  readonly ciphertext?: string;
  readonly seq?: number;
  readonly code?: string;
  readonly t?: number;
}

/** Connects and resumes. @throws Error when the server refuses. */
export async function connectLoadDevice(options: LoadDeviceOptions): Promise<LoadDevice> {
  const { url, onAck, onRefused, onMessage } = options;
  const body = { userId: `u_${options.user}`, deviceId: `d_${options.device}` };
  const { token } = await callHttp<{ token: string }>(url, 'POST', '/v1/dev/token', { body });
  const socket = new WebSocket(`${url.replace(/^http/, 'ws')}/ws/connect`, ['parley.v1'], {
    headers: { authorization: `Bearer ${token}` },
    perMessageDeflate: false,
  });
  const sends = new Map<string, number>();
  const receipts = createReceipts((text) => socket.send(text));
  const synced = Promise.withResolvers<void>();
  socket.on('error', synced.reject);
  socket.on('close', (code) => synced.reject(new Error(`the server closed the connection with ${code}`)));
  socket.on('message', (data) => {
    const frame = JSON.parse((data as Buffer).toString('latin1')) as Down;
    switch (frame.frame) {
      case 'MESSAGE':
        receipts.owe(frame.chatId ?? '', frame.serverMsgId ?? '');
        onMessage?.(frame.ciphertext ?? '', frame.seq ?? 0);
        break;
      case 'ACK':
      case 'ERROR': {
        const since = sends.get(frame.clientMsgId ?? '');
        if (since === undefined) break;
        sends.delete(frame.clientMsgId ?? '');
        if (frame.frame === 'ACK') onAck?.(performance.now() - since);
        else onRefused?.(frame.code ?? '');
        break;
      }
      case 'WELCOME':
        socket.send('{"frame":"RESUME","cursors":{}}');
        break;
      case 'SYNCED':
        synced.resolve();
        break;
      case 'PING':
        // The gateway takes none but its own number for the proof that it waits for.
        socket.send(`{"frame":"PONG","t":${frame.t ?? 0}}`);
        break;
      default:
    }
  });
  await synced.promise;
  const heartbeat = setInterval(() => socket.send('{"frame":"PING","t":1}'), 10_000);
  return {
    send(chatId, ciphertext) {
      const clientMsgId = randomUUID();
      sends.set(clientMsgId, performance.now());
      socket.send(JSON.stringify({ frame: 'SEND', clientMsgId, chatId, ciphertext, mediaIds: [] }));
    },
    get waiting() {
      return sends.size;
    },
    get open() {
      return socket.readyState === WebSocket.OPEN;
    },
    async close() {
      clearInterval(heartbeat);
      receipts.stop();
      const closed = new Promise((resolve) => socket.once('close', resolve));
      socket.close(1000);
      await closed;
    },
  };
}

export interface Receipts {
  owe(chatId: string, serverMsgId: string): void;
  stop(): void;
}

/** Cumulative receipts, as a device machine sends them. */
export function createReceipts(send: (text: string) => void): Receipts {
  const owed = new Map<string, string>();
  let count = 0;
  let timer: NodeJS.Timeout | undefined;
  function flush(): void {
    clearTimeout(timer);
    timer = undefined;
    count = 0;
    for (const [chatId, serverMsgId] of owed) {
      send(`{"frame":"RECEIPT","chatId":"${chatId}","serverMsgId":"${serverMsgId}","type":"DELIVERED"}`);
    }
    owed.clear();
  }
  return {
    owe(chatId, serverMsgId) {
      owed.set(chatId, serverMsgId);
      if (++count >= RECEIPT_EVERY) flush();
      else timer ??= setTimeout(flush, RECEIPT_DELAY_MS);
    },
    stop: () => clearTimeout(timer),
  };
}
