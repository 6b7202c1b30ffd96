import { z } from 'zod';
import { assertNever } from '../../core/contract/assert.ts';
import type { Limits } from '../../core/contract/limits.ts';
import { readClientValue } from '../../core/wire/client-codec.ts';
import { CLOSE_CODE } from '../../core/wire/frames.ts';
import { ProblemError, type Answer, type Exchange } from '../http-api/http-exchange.ts';
import { problem } from '../http-api/problem.ts';
import { decimal, parseInput } from '../http-api/request-schema.ts';
import type { Route } from '../http-api/router.ts';
import { isWireId } from './wire-id.ts';
import type { PollCursors, PollRefusal } from '../../core/session/poll-session.ts';
import type { PollSessions } from './poll-sessions.ts';
import type { DevicePoll, PollReply } from './poll-session.ts';

export interface PollRoutesOptions {
  readonly polls: PollSessions;
  readonly limits: Limits;
  /** Why no connection is taken now, or undefined when they are. */
  readonly unavailable: () => string | undefined;
}

const POLL_PATH = '/poll';
const DEFAULT_WAIT_MS = 25_000;

const ack = z.int().min(0);
const chatKey = z.string().refine((text) => isWireId('c', text), { error: 'is not a chat id such as c_9' });

/** The inputs of long polling. Frames are checked one by one, by the codec, and answered one by one. */
const pollConnectBody = z.strictObject({ cursors: z.record(chatKey, z.int().min(0)).optional() }).default({});
const pollQuery = (pollWait: number) =>
  z.strictObject({
    waitMs: decimal(0, pollWait / 1_000).default(Math.min(DEFAULT_WAIT_MS, pollWait / 1_000)),
    ack: decimal(0, Number.MAX_SAFE_INTEGER).optional(),
  });
const pollBody = (pollFrames: number) =>
  z.strictObject({ frames: z.array(z.unknown()).max(pollFrames), ack: ack.optional() });

/**
 * Long polling: the frames of a WebSocket in the bodies of HTTP requests. The sessions live in the gateway that opened
 * them, so these routes are served by the process that serves `/ws/connect`.
 */
export function pollRoutes({ polls, limits, unavailable }: PollRoutesOptions): Route[] {
  const query = pollQuery(limits.pollWait);
  const body = pollBody(limits.pollFrames);
  return [
    {
      method: 'POST',
      path: `${POLL_PATH}/connect`,
      auth: 'bearer',
      input: { body: pollConnectBody },
      async handle(exchange) {
        const { cursors } = parseInput(pollConnectBody, exchange.body);
        const reason = unavailable();
        if (reason !== undefined) throw new ProblemError(problem('unavailable', reason));
        const { pollId, reply } = polls.open({
          identity: exchange.identity,
          address: exchange.address,
          cursors: cursors === undefined ? undefined : readCursors(cursors, limits),
          onGone: exchange.onGone,
        });
        return answer(await reply, { pollId });
      },
    },
    {
      method: 'GET',
      path: `${POLL_PATH}/:pollId`,
      auth: 'bearer',
      input: { query },
      async handle(exchange) {
        const { waitMs, ack: upTo } = parseInput(query, Object.fromEntries(exchange.query));
        return answer(await sessionOf(polls, exchange).poll(upTo, waitMs, exchange.onGone));
      },
    },
    {
      method: 'POST',
      path: `${POLL_PATH}/:pollId`,
      auth: 'bearer',
      input: { body },
      async handle(exchange) {
        const { frames, ack: upTo } = parseInput(body, exchange.body);
        return answer(await sessionOf(polls, exchange).post(upTo, frames));
      },
    },
    {
      method: 'DELETE',
      path: `${POLL_PATH}/:pollId`,
      auth: 'bearer',
      handle(exchange) {
        sessionOf(polls, exchange).leave();
        return { status: 204 };
      },
    },
  ];
}

/** @throws ProblemError 404 for whoever it does not belong to, whether or not it exists. */
function sessionOf(polls: PollSessions, { params, identity }: Exchange): DevicePoll {
  const session = polls.find(params['pollId'] ?? '', identity);
  if (session === undefined) throw refusal({ kind: 'gone' });
  return session;
}

function answer(reply: PollReply, more: Readonly<Record<string, string>> = {}): Answer {
  if (reply.kind === 'refuse') throw refusal(reply.why);
  const { page, closed, carried } = reply;
  const rest = JSON.stringify({ ...more, last: page.last, closed });
  const text = `{"frames":[${page.frames.join(',')}],${rest.slice(1)}`;
  return { status: 200, text, contentType: 'application/json', ended: carried };
}

/** @throws ProblemError `too_large` for more chats than a device may have. */
function readCursors(cursors: Readonly<Record<string, number>>, limits: Limits): PollCursors {
  const decoded = readClientValue({ frame: 'RESUME', cursors }, limits);
  if (!decoded.ok) throw new ProblemError(problem(decoded.code, decoded.message));
  return decoded.frame.frame === 'RESUME' ? decoded.frame.cursors : [];
}

function refusal(why: PollRefusal): ProblemError {
  switch (why.kind) {
    case 'gone': {
      const detail = 'there is no such poll session: begin one with POST /poll/connect';
      return new ProblemError(problem('bad_frame', detail, { status: 404 }));
    }
    case 'bad-ack': {
      const detail = `ack: no response has carried a frame with the number ${why.ack}`;
      return new ProblemError(problem('bad_frame', detail));
    }
    case 'congested': {
      const { retryAfterMs } = why;
      const detail = 'take the frames that wait for this device first: GET them, and say `ack`';
      return new ProblemError(problem('overloaded', detail, { retryAfterMs }));
    }
    case 'not-opened': {
      if (why.over.code === CLOSE_CODE.authExpired)
        return new ProblemError(problem('unauthenticated', why.over.reason));
      const { code, message, retryAfterMs } = why.error ?? {
        code: 'unavailable' as const,
        message: why.over.reason,
        retryAfterMs: undefined,
      };
      return new ProblemError(problem(code, message, { retryAfterMs }));
    }
    default:
      return assertNever(why);
  }
}
