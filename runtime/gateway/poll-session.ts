import { assertNever } from '../../core/contract/assert.ts';
import type { ConnId } from '../../core/contract/ids.ts';
import type { Limits } from '../../core/contract/limits.ts';
import type { GatewayEvent } from '../../core/session/gateway-event.ts';
import type { PollPage } from '../../core/session/poll-buffer.ts';
import {
  createPollSession,
  type PollCursors,
  type PollEnd,
  type PollRefusal,
  type PollSessionEffect,
  type PollSessionEvent,
  type PollSessionTimer,
  stepPollSession,
} from '../../core/session/poll-session.ts';
import { readClientValue } from '../../core/wire/client-codec.ts';
import type { ServerFrame } from '../../core/wire/frames.ts';
import { encodeServerFrame } from '../../core/wire/server-codec.ts';
import type { Identity } from '../ports/token-verifier.ts';
import type { FrameMeter, MeteredConnection } from './frame-meter.ts';

/** One device that polls: brings requests to its session, whose every decision is the core's, and answers to whoever asked. */
export interface DevicePoll extends MeteredConnection {
  readonly conn: ConnId;
  readonly pollId: string;
  readonly identity: Identity;
  /** `onGone` calls back when the peer leaves before it was answered. `ack`: what it has; undefined when it does not say. */
  connect(onGone: OnGone): Promise<PollReply>;
  poll(ack: number | undefined, waitMs: number, onGone: OnGone): Promise<PollReply>;
  /** Hands frames from the device to the gateway, good and bad. */
  post(ack: number | undefined, values: readonly unknown[]): Promise<PollReply>;
  say(frame: ServerFrame): void;
  end(code: number, reason: string): void;
  leave(): void;
  /** Nothing wakes it any more. */
  stop(): void;
}

export type PollReply =
  | {
      readonly kind: 'respond';
      readonly page: PollPage;
      readonly closed: PollEnd | undefined;
      /** To be told whether the connection took all of the response. */
      readonly carried: (whole: boolean) => void;
    }
  | { readonly kind: 'refuse'; readonly why: PollRefusal };

type OnGone = (listener: () => void) => void;

export interface DevicePollOptions {
  readonly conn: ConnId;
  readonly pollId: string;
  readonly identity: Identity;
  /** Where it comes from, for rate limits. */
  readonly address: string | undefined;
  readonly limits: Limits;
  readonly meter: FrameMeter;
  readonly cursors: PollCursors | undefined;
  readonly dispatch: (event: GatewayEvent) => void;
  /** The device has left: nobody finds it any more. */
  readonly onForgotten: () => void;
}

export function createDevicePoll(options: DevicePollOptions): DevicePoll {
  const { conn, limits, meter, cursors, dispatch, onForgotten } = options;
  const session = createPollSession<string>(conn, limits, cursors);
  const timers = new Map<PollSessionTimer, NodeJS.Timeout>();
  const replies = new Map<number, (reply: PollReply) => void>();
  const posts = new Map<number, readonly unknown[]>();
  let lastRequest = 0;
  let flushDue = false;

  function step(event: PollSessionEvent<string>): void {
    for (const effect of stepPollSession(session, event)) carryOut(effect);
  }

  function carryOut(effect: PollSessionEffect<string>): void {
    switch (effect.kind) {
      case 'respond': {
        const { request, page, closed } = effect;
        return reply(request, {
          kind: 'respond',
          page,
          closed,
          carried: (whole) => step({ kind: 'carried', request, whole }),
        });
      }
      case 'refuse':
        posts.delete(effect.request);
        return reply(effect.request, effect);
      case 'hear':
        return hear(effect.request);
      case 'open':
        return dispatch({ kind: 'open', conn, ...options.identity, address: options.address });
      case 'tell':
        return dispatch(effect.event);
      case 'wake':
        clearTimeout(timers.get(effect.timer));
        timers.set(effect.timer, setTimeout(wake, effect.after / 1_000, effect.timer).unref());
        return;
      case 'forget':
        stop();
        return onForgotten();
      default:
        return assertNever(effect);
    }
  }

  function wake(timer: PollSessionTimer): void {
    timers.delete(timer);
    step({ kind: 'wake', timer });
  }

  function reply(request: number, answer: PollReply): void {
    replies.get(request)?.(answer);
    replies.delete(request);
  }

  function hear(request: number): void {
    for (const value of posts.get(request) ?? []) {
      const decoded = readClientValue(value, limits);
      meter.received(poll, decoded);
      if (decoded.ok) dispatch({ kind: 'frame', conn, frame: decoded.frame });
      else {
        const { message, code, clientMsgId } = decoded;
        dispatch({ kind: 'bad-frame', conn, message, code, clientMsgId });
      }
    }
    posts.delete(request);
    step({ kind: 'heard', request });
  }

  function ask(eventOf: (request: number) => PollSessionEvent<string>, onGone?: OnGone): Promise<PollReply> {
    const request = ++lastRequest;
    return new Promise((resolve) => {
      replies.set(request, resolve);
      onGone?.(() => {
        replies.delete(request);
        step({ kind: 'gone', request });
      });
      step(eventOf(request));
    });
  }

  function flush(): void {
    flushDue = false;
    step({ kind: 'flush' });
  }

  function stop(): void {
    for (const timer of timers.values()) clearTimeout(timer);
    timers.clear();
  }

  const poll: DevicePoll = {
    conn,
    pollId: options.pollId,
    identity: options.identity,
    sends: undefined,
    connect: (onGone) => ask((request) => ({ kind: 'connect', request }), onGone),
    poll: (ack, waitMs, onGone) =>
      ask((request) => ({ kind: 'poll', request, ack, wait: waitMs * 1_000 }), onGone),
    post: (ack, values) =>
      ask((request) => {
        posts.set(request, values);
        return { kind: 'post', request, ack };
      }),
    say(frame) {
      const text = encodeServerFrame(frame);
      step({ kind: 'say', frame: text, size: text.length, what: frame });
      if (flushDue) return;
      flushDue = true;
      setImmediate(flush);
    },
    end: (code, reason) => step({ kind: 'end', code, reason }),
    leave: () => step({ kind: 'leave' }),
    stop,
  };
  return poll;
}
