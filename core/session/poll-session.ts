import { assertNever } from '../contract/assert.ts';
import type { ChatId, ConnId } from '../contract/ids.ts';
import type { Limits } from '../contract/limits.ts';
import { CLOSE_CODE, type ErrorFrame, type ServerFrame } from '../wire/frames.ts';
import type { GatewayEvent } from './gateway-event.ts';
import {
  acknowledge,
  addFrame,
  hasPage,
  isLastPage,
  newPollBuffer,
  type PollBuffer,
  type PollPage,
  responseEnded,
  takePage,
} from './poll-buffer.ts';

/**
 * A device that polls, as its gateway has it: which request is answered when and with what, and when the session is over.
 * To the gateway's machine it is a connection like any other. The shell routes requests to it and carries the answers.
 */
export interface PollSession<Frame> {
  readonly conn: ConnId;
  readonly limits: Limits;
  readonly buffer: PollBuffer<Frame>;
  /** What RESUME says as soon as WELCOME is there; undefined when the device says it itself. */
  readonly cursors: PollCursors | undefined;
  /** The request that began the session, until it is answered. */
  opening: number | undefined;
  welcomed: boolean;
  /** What the request that began the session waits for is there. */
  opened: boolean;
  /** The ERROR that came in place of WELCOME. */
  refusal: ErrorFrame | undefined;
  /** The request that waits for frames. *Invariant:* at most one: a newer one takes its place. */
  waiting: number | undefined;
  /** Buffered more than the device should: it must take its frames before it says anything. */
  congested: boolean;
  /** Why the session is over, once it is. */
  over: PollEnd | undefined;
  /** A response that says so has left. */
  toldOver: boolean;
  /** What the responses on their way carry. */
  readonly carried: Map<number, { readonly page: PollPage<Frame>; readonly closed: boolean }>;
}

export type PollCursors = readonly (readonly [ChatId, number])[];

export interface PollEnd {
  readonly code: number;
  readonly reason: string;
}

/** `ack` undefined: the request says nothing of what the device has. Times in microseconds. */
export type PollSessionEvent<Frame> =
  | { readonly kind: 'connect'; readonly request: number }
  | {
      readonly kind: 'poll';
      readonly request: number;
      readonly ack: number | undefined;
      readonly wait: number;
    }
  | { readonly kind: 'post'; readonly request: number; readonly ack: number | undefined }
  /** Every frame of the post has been handed to the gateway. */
  | { readonly kind: 'heard'; readonly request: number }
  /** The gateway says something. @param size characters. */
  | { readonly kind: 'say'; readonly frame: Frame; readonly size: number; readonly what: ServerFrame }
  /** The end of a turn: the frames of a page, or of a fan-out, go into one response. */
  | { readonly kind: 'flush' }
  /** The gateway ends the connection. */
  | { readonly kind: 'end'; readonly code: number; readonly reason: string }
  /** Who asked has left before there was an answer. */
  | { readonly kind: 'gone'; readonly request: number }
  /** How a response ended: whether the connection took all of it. */
  | { readonly kind: 'carried'; readonly request: number; readonly whole: boolean }
  | { readonly kind: 'wake'; readonly timer: PollSessionTimer }
  /** The device says that it leaves. */
  | { readonly kind: 'leave' };

/** `wait`: of the request that waits. `replay`: of the one that began the session. `linger`: until nobody asks any more. */
export type PollSessionTimer = 'wait' | 'replay' | 'linger';

/** What the shell owes, in order. */
export type PollSessionEffect<Frame> =
  /** Answer with these frames; -> `carried`. */
  | {
      readonly kind: 'respond';
      readonly request: number;
      readonly page: PollPage<Frame>;
      readonly closed: PollEnd | undefined;
    }
  | { readonly kind: 'refuse'; readonly request: number; readonly why: PollRefusal }
  /** Hand the frames of this post to the gateway, one by one; -> `heard`. */
  | { readonly kind: 'hear'; readonly request: number }
  /** Tell the gateway's machine of the connection. It may end it at once, and the request that asks for it hears of that. */
  | { readonly kind: 'open' }
  /** For the gateway's machine. */
  | { readonly kind: 'tell'; readonly event: GatewayEvent }
  /** One-shot; replaces a pending wake-up of the same timer. */
  | { readonly kind: 'wake'; readonly timer: PollSessionTimer; readonly after: number }
  /** Nobody finds the session any more. */
  | { readonly kind: 'forget' };

/** `gone`: there is no such session (any more). `congested`: unread; the frames that wait must be taken first. */
export type PollRefusal =
  | { readonly kind: 'gone' }
  | { readonly kind: 'bad-ack'; readonly ack: number }
  | { readonly kind: 'congested'; readonly retryAfterMs: number }
  /** It was over before WELCOME: refused, as an upgrade would be. */
  | { readonly kind: 'not-opened'; readonly over: PollEnd; readonly error: ErrorFrame | undefined };

type Out<Frame> = PollSessionEffect<Frame>[];

export function createPollSession<Frame>(
  conn: ConnId,
  limits: Limits,
  cursors: PollCursors | undefined,
): PollSession<Frame> {
  return {
    conn,
    limits,
    buffer: newPollBuffer<Frame>(),
    cursors,
    opening: undefined,
    welcomed: false,
    opened: false,
    refusal: undefined,
    waiting: undefined,
    congested: false,
    over: undefined,
    toldOver: false,
    carried: new Map(),
  };
}

/** @returns effects, to be carried out in order. What they cause may be told to the session before the next one. */
export function stepPollSession<Frame>(
  session: PollSession<Frame>,
  event: PollSessionEvent<Frame>,
): readonly PollSessionEffect<Frame>[] {
  const out: Out<Frame> = [];
  switch (event.kind) {
    case 'connect':
      session.opening = event.request;
      out.push({ kind: 'open' });
      polled(session, out);
      break;
    case 'poll':
      if (admit(session, event.request, event.ack, out)) onPoll(session, event.request, event.wait, out);
      break;
    case 'post':
      if (admit(session, event.request, event.ack, out)) onPost(session, event.request, out);
      break;
    case 'heard':
      respond(session, event.request, out);
      break;
    case 'say':
      addFrame(session.buffer, event.frame, event.size);
      onSaid(session, event.what, out);
      break;
    case 'flush':
      onFlush(session, out);
      break;
    case 'end':
      onEnd(session, event, out);
      break;
    case 'gone':
      if (session.waiting === event.request) session.waiting = undefined;
      else if (session.opening === event.request) leave(session, out);
      break;
    case 'carried':
      onCarried(session, event.request, event.whole, out);
      break;
    case 'wake':
      onWake(session, event.timer, out);
      break;
    case 'leave':
      leave(session, out);
      break;
    default:
      assertNever(event);
  }
  return out;
}

/** Notes what the device has. @returns false when the request is refused. */
function admit<Frame>(
  session: PollSession<Frame>,
  request: number,
  ack: number | undefined,
  out: Out<Frame>,
): boolean {
  if (ack !== undefined && !acknowledge(session.buffer, ack)) {
    out.push({ kind: 'refuse', request, why: { kind: 'bad-ack', ack } });
    return false;
  }
  if (ack !== undefined) report(session, out);
  if (session.toldOver && session.buffer.waiting.length === 0) {
    // The device has every frame and knows that the session is over: nothing is left to say.
    out.push({ kind: 'refuse', request, why: { kind: 'gone' } });
    leave(session, out);
    return false;
  }
  return true;
}

function onPoll<Frame>(session: PollSession<Frame>, request: number, wait: number, out: Out<Frame>): void {
  polled(session, out);
  answerEmpty(session, undefined, out);
  session.waiting = request;
  if (hasPage(session.buffer) || session.over !== undefined) answerWaiting(session, out);
  else out.push({ kind: 'wake', timer: 'wait', after: wait });
}

/** A socket of a device that does not read is not read either. */
function onPost<Frame>(session: PollSession<Frame>, request: number, out: Out<Frame>): void {
  if (session.congested) {
    out.push({ kind: 'refuse', request, why: { kind: 'congested', retryAfterMs: 1_000 } });
    return;
  }
  polled(session, out);
  out.push({ kind: 'hear', request });
}

function onSaid<Frame>(session: PollSession<Frame>, what: ServerFrame, out: Out<Frame>): void {
  if (session.welcomed) session.opened = true;
  else if (what.frame === 'ERROR') session.refusal = what;
  else if (what.frame === 'WELCOME') {
    session.welcomed = true;
    const { conn, cursors } = session;
    if (cursors === undefined) session.opened = true;
    else {
      out.push(
        { kind: 'wake', timer: 'replay', after: session.limits.pollReplayStart },
        { kind: 'tell', event: { kind: 'frame', conn, frame: { frame: 'RESUME', cursors } } },
      );
    }
  }
}

function onFlush<Frame>(session: PollSession<Frame>, out: Out<Frame>): void {
  if (session.opened) answerOpening(session, out);
  if (hasPage(session.buffer)) answerWaiting(session, out);
  report(session, out);
}

function onEnd<Frame>(session: PollSession<Frame>, { code, reason }: PollEnd, out: Out<Frame>): void {
  if (session.over !== undefined) return;
  session.over = { code, reason };
  answerOpening(session, out);
  answerWaiting(session, out);
  out.push({ kind: 'wake', timer: 'linger', after: session.limits.pollSilence });
}

function onWake<Frame>(session: PollSession<Frame>, timer: PollSessionTimer, out: Out<Frame>): void {
  switch (timer) {
    case 'wait':
      answerWaiting(session, out);
      break;
    case 'replay':
      answerOpening(session, out);
      break;
    case 'linger':
      out.push({ kind: 'forget' });
      break;
    default:
      assertNever(timer);
  }
}

function onCarried<Frame>(
  session: PollSession<Frame>,
  request: number,
  whole: boolean,
  out: Out<Frame>,
): void {
  const carried = session.carried.get(request);
  if (carried === undefined) return;
  session.carried.delete(request);
  responseEnded(session.buffer, carried.page, whole);
  if (whole) {
    if (carried.closed) session.toldOver = true;
    polled(session, out);
  }
  report(session, out);
}

function answerOpening<Frame>(session: PollSession<Frame>, out: Out<Frame>): void {
  const { opening: request, over, refusal: error } = session;
  if (request === undefined) return;
  session.opening = undefined;
  if (over === undefined || session.welcomed) respond(session, request, out);
  else out.push({ kind: 'refuse', request, why: { kind: 'not-opened', over, error } });
}

function answerWaiting<Frame>(session: PollSession<Frame>, out: Out<Frame>): void {
  const request = session.waiting;
  if (request === undefined) return;
  session.waiting = undefined;
  respond(session, request, out);
}

/** A newer request took the place of the one that waits, or the device has left: what is left to say is for neither. */
function answerEmpty<Frame>(session: PollSession<Frame>, closed: PollEnd | undefined, out: Out<Frame>): void {
  const request = session.waiting;
  if (request === undefined) return;
  session.waiting = undefined;
  const page = { frames: [], last: session.buffer.acked };
  session.carried.set(request, { page, closed: false });
  out.push({ kind: 'respond', request, page, closed });
}

function respond<Frame>(session: PollSession<Frame>, request: number, out: Out<Frame>): void {
  const { buffer, limits } = session;
  const page = takePage(buffer, limits.pollResponseBytes);
  // Whoever hears of the end asks no more: it is told with the last frames, never before them.
  const closed = isLastPage(buffer, page) ? session.over : undefined;
  session.carried.set(request, { page, closed: closed !== undefined });
  out.push({ kind: 'respond', request, page, closed });
}

function polled<Frame>(session: PollSession<Frame>, out: Out<Frame>): void {
  if (session.over === undefined) out.push({ kind: 'tell', event: { kind: 'polled', conn: session.conn } });
}

/** What waits for the device counts as what is written to a socket. */
function report<Frame>(session: PollSession<Frame>, out: Out<Frame>): void {
  if (session.over !== undefined) return;
  const { conn, buffer, limits } = session;
  const full = buffer.size > limits.socketBufferBytes / 2;
  if (full || session.congested)
    out.push({ kind: 'tell', event: { kind: 'buffered', conn, bytes: buffer.size } });
  session.congested = full;
}

function leave<Frame>(session: PollSession<Frame>, out: Out<Frame>): void {
  const isNews = session.over === undefined;
  session.over ??= { code: CLOSE_CODE.normal, reason: 'the device has left' };
  answerEmpty(session, session.over, out);
  if (isNews) out.push({ kind: 'tell', event: { kind: 'closed', conn: session.conn } });
  out.push({ kind: 'forget' });
}
