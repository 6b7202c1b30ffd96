import type { ConnId } from '../../core/contract/ids.ts';
import type { Limits } from '../../core/contract/limits.ts';
import type { GatewayEvent } from '../../core/session/gateway-event.ts';
import {
  acknowledge,
  hasPage,
  responseEnded,
  takePage,
  type PollBuffer,
} from '../../core/session/poll-buffer.ts';
import { readClientValue } from '../../core/wire/client-codec.ts';
import { CLOSE_CODE, type ErrorFrame, type ServerFrame } from '../../core/wire/frames.ts';
import type { Identity } from '../ports/token-verifier.ts';
import type { FrameMeter, MeteredConnection } from './frame-meter.ts';
import type { Cursors } from './poll-sessions.ts';

/** One device that polls. What its buffer does with frames is the core's; here requests come, wait and are answered. */
export interface PollSession extends MeteredConnection {
  readonly conn: ConnId;
  readonly pollId: string;
  readonly identity: Identity;
  readonly buffer: PollBuffer;
  /** Why the session is over, once it is. */
  readonly over: { readonly code: number; readonly reason: string } | undefined;
  /** Buffered more than the device should: it must take its frames before it says anything. */
  readonly congested: boolean;
  /** It was over before WELCOME; `refusal` is the ERROR that said why, if there was one. */
  readonly refused: boolean;
  readonly refusal: ErrorFrame | undefined;
  /** Settles when WELCOME is there, and what follows it at once; or when the session is over. */
  readonly opened: Promise<void>;
  /** Notes what the device has. @returns false when no response can have carried that. */
  acknowledge(upTo: number): boolean;
  /** The device has every frame and knows that the session is over: nothing is left to say. */
  readonly finished: boolean;
  /**
   * Waits for something to answer with. @param onGone calls back when the peer leaves.
   * @returns false when a newer call took the place of this one, or its peer left: then the answer carries nothing.
   */
  wait(waitMs: number, onGone: (listener: () => void) => void): Promise<boolean>;
  /** Hands frames from the device to the gateway, good and bad. */
  hear(values: readonly unknown[]): void;
  /** What the device is answered now. @param carry false for a request that a newer one replaced. @param more fields of its own. */
  answer(carry: boolean, more: Readonly<Record<string, string>>): PollAnswer;
  /** A frame was added to the buffer. */
  said(frame: ServerFrame): void;
  end(code: number, reason: string): void;
  /** The device leaves, or everything has been said: nobody finds the session any more. */
  leave(): void;
}

export interface PollAnswer {
  readonly text: string;
  readonly ended: (whole: boolean) => void;
}

export interface PollSessionOptions {
  readonly conn: ConnId;
  readonly pollId: string;
  readonly identity: Identity;
  readonly buffer: PollBuffer;
  readonly limits: Limits;
  readonly meter: FrameMeter;
  readonly cursors: Cursors | undefined;
  readonly dispatch: (event: GatewayEvent) => void;
  readonly onLeft: () => void;
}

/** How long the answer to a connect waits for the first frame behind WELCOME: a page of the store takes less. */
const REPLAY_START_MS = 1_000;

export function createPollSession(options: PollSessionOptions): PollSession {
  const { conn, buffer, limits, meter, cursors, dispatch } = options;
  const highWater = limits.socketBufferBytes / 2;
  const opened = Promise.withResolvers<void>();
  let over: PollSession['over'];
  let refusal: ErrorFrame | undefined;
  let welcomed = false;
  let congested = false;
  let flushDue = false;
  /** A response that says that the session is over has left. */
  let toldOver = false;
  /** Ends the wait of the request that waits. */
  let wake: ((carry: boolean) => void) | undefined;

  /** At the end of a turn: the frames of a page, or of a fan-out, go into one response. */
  function flush(): void {
    flushDue = false;
    if (hasPage(buffer)) wake?.(true);
    report();
  }

  function report(): void {
    if (over !== undefined) return;
    const full = buffer.size > highWater;
    if (full || congested) dispatch({ kind: 'buffered', conn, bytes: buffer.size });
    congested = full;
  }

  function onWelcome(): void {
    welcomed = true;
    if (cursors === undefined) return opened.resolve();
    dispatch({ kind: 'frame', conn, frame: { frame: 'RESUME', cursors } });
    setTimeout(opened.resolve, REPLAY_START_MS).unref();
  }

  const session: PollSession = {
    conn,
    pollId: options.pollId,
    identity: options.identity,
    buffer,
    sends: undefined,
    opened: opened.promise,
    get over() {
      return over;
    },
    get refused() {
      return over !== undefined && !welcomed;
    },
    get refusal() {
      return refusal;
    },
    get congested() {
      return congested;
    },
    get finished() {
      return toldOver && buffer.waiting.length === 0;
    },
    acknowledge(upTo) {
      if (!acknowledge(buffer, upTo)) return false;
      report();
      return true;
    },
    wait(waitMs, onGone) {
      dispatch({ kind: 'polled', conn });
      wake?.(false);
      if (hasPage(buffer) || over !== undefined) return Promise.resolve(true);
      return new Promise((resolve) => {
        const done = (carry: boolean): void => {
          clearTimeout(timer);
          if (wake === done) wake = undefined;
          resolve(carry);
        };
        const timer = setTimeout(done, waitMs, true);
        wake = done;
        onGone(() => done(false));
      });
    },
    hear(values) {
      dispatch({ kind: 'polled', conn });
      for (const value of values) {
        const decoded = readClientValue(value, limits);
        meter.received(session, decoded);
        if (decoded.ok) dispatch({ kind: 'frame', conn, frame: decoded.frame });
        else dispatch({ kind: 'bad-frame', conn, message: decoded.message, code: decoded.code });
      }
    },
    answer(carry, more) {
      const page = carry ? takePage(buffer, limits.pollResponseBytes) : { frames: [], last: buffer.acked };
      const told = over;
      const rest = JSON.stringify({ ...more, last: page.last, closed: told });
      return {
        text: `{"frames":[${page.frames.join(',')}],${rest.slice(1)}`,
        ended(whole) {
          responseEnded(buffer, page, whole);
          if (told !== undefined && whole) toldOver = true;
          if (whole) dispatch({ kind: 'polled', conn });
          report();
        },
      };
    },
    said(frame) {
      if (frame.frame === 'WELCOME') onWelcome();
      else if (welcomed) opened.resolve();
      else if (frame.frame === 'ERROR') refusal = frame;
      if (flushDue) return;
      flushDue = true;
      setImmediate(flush);
    },
    end(code, reason) {
      over = { code, reason };
      opened.resolve();
      wake?.(true);
    },
    leave() {
      over ??= { code: CLOSE_CODE.normal, reason: 'the device has left' };
      wake?.(false);
      options.onLeft();
    },
  };
  return session;
}
