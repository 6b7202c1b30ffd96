import type { Limits } from '../../core/contract/limits.ts';
import {
  createPollClient,
  type PollAsk,
  type PollClient,
  type PollTimer,
} from '../../core/device/poll-client.ts';
import type { PollSession, PollSessionTimer } from '../../core/session/poll-session.ts';
import type { ClientFrame, ServerFrame } from '../../core/wire/frames.ts';
import type { Connection } from './connection.ts';
import type { Timer } from './timer.ts';

/** A frame of a poll session with its place among all that the session said, by which the oracles know it. */
export interface SaidFrame {
  readonly place: number;
  readonly frame: ServerFrame;
}

/** What the world does with one request and its answer. `twice`: a proxy repeats it, which only a GET can happen to. */
export type PollFate = 'plain' | 'request-lost' | 'answer-lost' | 'answer-hangs' | 'late' | 'twice';

/** A request as it travels to the gateway. `gone`: its connection broke, `leave`: the DELETE at the end. */
export interface PollRequest {
  readonly request: number;
  readonly ask: PollAsk<ClientFrame> | { readonly kind: 'gone' } | { readonly kind: 'leave' };
  readonly fate: PollFate;
}

/** What comes back. `status` undefined: nothing did, and the device's kernel knows it. */
export type PollReply = { readonly request: number } & (
  | {
      readonly kind: 'answered';
      readonly frames: readonly SaidFrame[];
      readonly last: number;
      readonly closed: { readonly code: number } | undefined;
    }
  | { readonly kind: 'failed'; readonly status: number | undefined; readonly retryAfter: number }
);

/** Something for the poll link of one host: it waits in the host's inbox like all that arrives there. */
export class PollStep {
  readonly conn: Connection;
  readonly step:
    | { readonly kind: 'request'; readonly request: PollRequest }
    | { readonly kind: 'reply'; readonly reply: PollReply }
    | { readonly kind: 'client-wake'; readonly timer: PollTimer }
    | { readonly kind: 'session-wake'; readonly timer: PollSessionTimer }
    /** The time of the request in this place is over. */
    | { readonly kind: 'deadline'; readonly place: PollTimer };

  constructor(conn: Connection, step: PollStep['step']) {
    this.conn = conn;
    this.step = step;
  }
}

/** Both ends of a connection by long polling, and what is on its way between them. */
export class PollEnds {
  readonly client: PollClient<ClientFrame>;
  /** The gateway's end; undefined before the connect arrived, and once its gateway has forgotten it. */
  session: PollSession<SaidFrame> | undefined;
  /** Requests that the device waits for, by what each is for. A connect stands in the place of the poll. */
  readonly underWay: Record<PollTimer, number | undefined> = { poll: undefined, post: undefined };
  /** What each request under way said the device has. */
  readonly acks = new Map<number, number>();
  /** Frames of posts that the gateway reads at the moment. */
  readonly posts = new Map<number, readonly ClientFrame[]>();
  /** What happens to the answers of requests at the gateway. */
  readonly fates = new Map<number, PollFate>();
  readonly sessionTimers = new Map<PollSessionTimer, Timer>();
  readonly clientTimers = new Map<PollTimer, Timer>();
  /** When the time of a request is over, by its place. */
  readonly deadlines = new Map<PollTimer, Timer>();
  /** An answer that carried frames was lost, and none has come since. */
  lostFrames = false;
  /** Frames that the session said. */
  said = 0;
  /** The device, or the gateway, said something that is not flushed. */
  deviceSpoke = false;
  gatewaySpoke = false;

  constructor(limits: Limits) {
    this.client = createPollClient<ClientFrame>(limits);
  }
}

/** Of a connection by long polling. */
export function endsOf(conn: Connection): PollEnds {
  return conn.poll!;
}

/** Bytes of a frame beside its ciphertext, roughly. */
export const FRAME_OVERHEAD = 200;

export function sizeOfFrame(frame: { readonly frame: string; readonly ciphertext?: string }): number {
  return FRAME_OVERHEAD + (frame.ciphertext?.length ?? 0);
}
