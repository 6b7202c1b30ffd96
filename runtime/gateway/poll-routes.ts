import { z } from 'zod';
import type { Limits } from '../../core/contract/limits.ts';
import { readClientValue } from '../../core/wire/client-codec.ts';
import { CLOSE_CODE } from '../../core/wire/frames.ts';
import { ProblemError, type Answer, type Exchange } from '../http-api/http-exchange.ts';
import { problem } from '../http-api/problem.ts';
import { decimal, parseInput } from '../http-api/request-schema.ts';
import type { Route } from '../http-api/router.ts';
import { isWireId } from './wire-id.ts';
import type { Cursors, PollSessions } from './poll-sessions.ts';
import type { PollSession } from './poll-session.ts';

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
        const session = polls.open(
          exchange.identity,
          exchange.address,
          cursors === undefined ? undefined : readCursors(cursors, limits),
        );
        exchange.onGone(() => session.leave());
        await session.opened;
        if (session.refused) throw refusal(session);
        return answer(session, true, { pollId: session.pollId });
      },
    },
    {
      method: 'GET',
      path: `${POLL_PATH}/:pollId`,
      auth: 'bearer',
      input: { query },
      async handle(exchange) {
        const { waitMs, ack: upTo } = parseInput(query, Object.fromEntries(exchange.query));
        const session = sessionOf(polls, exchange, upTo);
        return answer(session, await session.wait(waitMs, exchange.onGone));
      },
    },
    {
      method: 'POST',
      path: `${POLL_PATH}/:pollId`,
      auth: 'bearer',
      input: { body },
      handle(exchange) {
        const { frames, ack: upTo } = parseInput(body, exchange.body);
        const session = sessionOf(polls, exchange, upTo);
        // A socket of a device that does not read is not read either.
        if (session.congested) {
          const detail = 'take the frames that wait for this device first: GET them, and say `ack`';
          throw new ProblemError(problem('overloaded', detail, { retryAfterMs: 1_000 }));
        }
        session.hear(frames);
        return answer(session, true);
      },
    },
    {
      method: 'DELETE',
      path: `${POLL_PATH}/:pollId`,
      auth: 'bearer',
      handle(exchange) {
        sessionOf(polls, exchange, undefined).leave();
        return { status: 204 };
      },
    },
  ];
}

/** @throws ProblemError 404 for whoever it does not belong to, whether or not it exists. */
function sessionOf(
  polls: PollSessions,
  { params, identity }: Exchange,
  upTo: number | undefined,
): PollSession {
  const session = polls.find(params['pollId'] ?? '', identity);
  if (session === undefined) throw gone();
  if (upTo !== undefined && !session.acknowledge(upTo)) {
    throw new ProblemError(
      problem('bad_frame', `ack: no response has carried a frame with the number ${upTo}`),
    );
  }
  if (session.finished) {
    session.leave();
    throw gone();
  }
  return session;
}

function gone(): ProblemError {
  const detail = 'there is no such poll session: begin one with POST /poll/connect';
  return new ProblemError(problem('bad_frame', detail, { status: 404 }));
}

function answer(session: PollSession, carry: boolean, more: Readonly<Record<string, string>> = {}): Answer {
  const { text, ended } = session.answer(carry, more);
  return { status: 200, text, contentType: 'application/json', ended };
}

/** @throws ProblemError `too_large` for more chats than a device may have. */
function readCursors(cursors: Readonly<Record<string, number>>, limits: Limits): Cursors {
  const decoded = readClientValue({ frame: 'RESUME', cursors }, limits);
  if (!decoded.ok) throw new ProblemError(problem(decoded.code, decoded.message));
  return decoded.frame.frame === 'RESUME' ? decoded.frame.cursors : [];
}

/** A session that ended before WELCOME: the request is refused, as an upgrade would be. */
function refusal({ over, refusal: error }: PollSession): ProblemError {
  if (over?.code === CLOSE_CODE.authExpired) {
    return new ProblemError(problem('unauthenticated', over.reason));
  }
  const { code, message, retryAfterMs } = error ?? {
    code: 'unavailable' as const,
    message: over?.reason ?? 'connect again',
    retryAfterMs: undefined,
  };
  return new ProblemError(problem(code, message, { retryAfterMs }));
}
