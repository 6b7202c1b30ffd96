import { WebSocket } from 'ws';
import { callHttp } from '../client/http-calls.ts';

/** A frame as it is on the wire. */
export type WireFrame = { readonly frame: string } & Readonly<Record<string, unknown>>;

/** A connection with no machine behind it: says exactly what the test says, good or bad. */
export interface RawDevice {
  /** Every frame so far, in order. */
  readonly frames: readonly WireFrame[];
  readonly socket: WebSocket;
  /** Close code, once closed. */
  readonly closed: Promise<number>;
  send(frame: object | string): void;
  /**
   * Waits for a frame that matches, among those not taken so far.
   * @throws Error, with the frames that came instead, after the time.
   */
  next(match: (frame: WireFrame) => boolean, withinMs?: number): Promise<WireFrame>;
  /** Waits, and returns every frame that came meanwhile and matches. */
  during(ms: number, match: (frame: WireFrame) => boolean): Promise<readonly WireFrame[]>;
  close(): Promise<void>;
}

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
export async function connectRaw({ url, user, device, cursors = {} }: RawDeviceOptions): Promise<RawDevice> {
  const token = await fetchDevToken(url, user, device);
  const raw = openRaw(url, token);
  await new Promise<void>((resolve, reject) => {
    raw.socket.once('open', () => resolve());
    raw.socket.once('error', reject);
  });
  if (cursors === 'none') return raw;
  await raw.next((frame) => frame.frame === 'WELCOME');
  raw.send({ frame: 'RESUME', cursors });
  await raw.next((frame) => frame.frame === 'SYNCED');
  return raw;
}

export function openRaw(url: string, token: string): RawDevice {
  const socket = new WebSocket(`${url.replace(/^http/, 'ws')}/ws/connect`, ['parley.v1'], {
    headers: { authorization: `Bearer ${token}` },
    perMessageDeflate: false,
  });
  const frames: WireFrame[] = [];
  const taken: boolean[] = [];
  let arrived = Promise.withResolvers<void>();
  socket.on('message', (data) => {
    frames.push(JSON.parse((data as Buffer).toString('utf8')) as WireFrame);
    arrived.resolve();
  });
  const closed = new Promise<number>((resolve) => socket.once('close', (code) => resolve(code)));

  async function next(match: (frame: WireFrame) => boolean, withinMs = 5_000): Promise<WireFrame> {
    const until = performance.now() + withinMs;
    for (;;) {
      const index = frames.findIndex((frame, i) => taken[i] !== true && match(frame));
      if (index >= 0) {
        taken[index] = true;
        return frames[index] as WireFrame;
      }
      const left = until - performance.now();
      if (left <= 0)
        throw new Error(
          `no such frame within ${withinMs} ms; there came ${JSON.stringify(frames.slice(-8))}`,
        );
      arrived = Promise.withResolvers<void>();
      const timer = setTimeout(arrived.resolve, left);
      await arrived.promise;
      clearTimeout(timer);
    }
  }

  return {
    frames,
    socket,
    closed,
    send: (frame) => socket.send(typeof frame === 'string' ? frame : JSON.stringify(frame)),
    next,
    async during(ms, match) {
      const from = frames.length;
      await new Promise((resolve) => setTimeout(resolve, ms));
      return frames.slice(from).filter(match);
    },
    async close() {
      if (socket.readyState !== socket.CLOSED) {
        socket.close(1000);
        await closed;
      }
    },
  };
}
