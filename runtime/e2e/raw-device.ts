import { WebSocket } from 'ws';
import { callHttp } from '../client/http-calls.ts';
import { openRawPoll } from './raw-poll.ts';

/** A frame as it is on the wire. */
export type WireFrame = { readonly frame: string } & Readonly<Record<string, unknown>>;

/** What came on a connection, and ways to wait for it. */
export interface FrameLog {
  /** Every frame so far, in order. */
  readonly frames: readonly WireFrame[];
  add(frame: WireFrame): void;
  /**
   * Waits for a frame that matches, among those not taken so far.
   * @throws Error, with the frames that came instead, after the time.
   */
  next(match: (frame: WireFrame) => boolean, withinMs?: number): Promise<WireFrame>;
  /** Waits, and returns every frame that came meanwhile and matches. */
  during(ms: number, match: (frame: WireFrame) => boolean): Promise<readonly WireFrame[]>;
}

/** A connection with no machine behind it: says exactly what the test says, good or bad. */
export interface RawDevice extends FrameLog {
  /** Close code, once closed. */
  readonly closed: Promise<number>;
  send(frame: object | string): void;
  close(): Promise<void>;
}

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

export function frameLog(): FrameLog {
  const frames: WireFrame[] = [];
  const taken: boolean[] = [];
  let arrived = Promise.withResolvers<void>();
  return {
    frames,
    add(frame) {
      frames.push(frame);
      arrived.resolve();
    },
    async next(match, withinMs = 5_000) {
      const until = performance.now() + withinMs;
      for (;;) {
        const index = frames.findIndex((frame, i) => taken[i] !== true && match(frame));
        if (index >= 0) {
          taken[index] = true;
          return frames[index] as WireFrame;
        }
        const left = until - performance.now();
        if (left <= 0) {
          const came = JSON.stringify(frames.slice(-8));
          throw new Error(`no such frame within ${withinMs} ms; there came ${came}`);
        }
        arrived = Promise.withResolvers<void>();
        const timer = setTimeout(arrived.resolve, left);
        await arrived.promise;
        clearTimeout(timer);
      }
    },
    async during(ms, match) {
      const from = frames.length;
      await new Promise((resolve) => setTimeout(resolve, ms));
      return frames.slice(from).filter(match);
    },
  };
}
