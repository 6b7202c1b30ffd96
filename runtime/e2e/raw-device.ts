import { WebSocket } from 'ws';
import { callHttp } from '../client/http-calls.ts';
import { frameLog, type RawDevice, type WireFrame } from './frame-log.ts';
import { openRawPoll } from './raw-poll.ts';

export interface RawSocket extends RawDevice {
  readonly socket: WebSocket;
}

export type RawTransport = 'websocket' | 'poll';

export interface RawDeviceOptions {
  readonly url: string;
  readonly user: string;
  readonly device?: string;
  /** What RESUME says; undefined for no RESUME at all. */
  readonly cursors?: Readonly<Record<string, number>> | 'none';
}

export async function fetchDevToken(url: string, user: string, device = 'main'): Promise<string> {
  const body = { userId: user, deviceId: device };
  return (await callHttp<{ token: string }>(url, 'POST', '/v1/dev/token', { body })).token;
}

/** Connects, and, unless told otherwise, resumes and waits for SYNCED. */
export async function connectRaw(options: RawDeviceOptions): Promise<RawSocket> {
  const { url, user, device } = options;
  const raw = openRaw(url, await fetchDevToken(url, user, device));
  await new Promise<void>((resolve, reject) => {
    raw.socket.once('open', () => resolve());
    raw.socket.once('error', reject);
  });
  await resume(raw, options);
  return raw;
}

/** The same over what the name says. */
export async function connectOver(transport: RawTransport, options: RawDeviceOptions): Promise<RawDevice> {
  if (transport === 'websocket') return connectRaw(options);
  const { url, user, device } = options;
  const raw = openRawPoll(url, await fetchDevToken(url, user, device));
  await resume(raw, options);
  return raw;
}

async function resume(raw: RawDevice, { cursors = {} }: RawDeviceOptions): Promise<void> {
  if (cursors === 'none') return;
  await raw.next((frame) => frame.frame === 'WELCOME');
  raw.send({ frame: 'RESUME', cursors });
  await raw.next((frame) => frame.frame === 'SYNCED');
}

export function openRaw(url: string, token: string): RawSocket {
  const socket = new WebSocket(`${url.replace(/^http/, 'ws')}/ws/connect`, ['parley.v1'], {
    headers: { authorization: `Bearer ${token}` },
    perMessageDeflate: false,
  });
  const log = frameLog();
  socket.on('message', (data) => log.add(JSON.parse((data as Buffer).toString('utf8')) as WireFrame));
  const closed = new Promise<number>((resolve) => socket.once('close', (code) => resolve(code)));
  return {
    ...log,
    socket,
    closed,
    send: (frame) => socket.send(typeof frame === 'string' ? frame : JSON.stringify(frame)),
    async close() {
      if (socket.readyState !== socket.CLOSED) {
        socket.close(1000);
        await closed;
      }
    },
  };
}
