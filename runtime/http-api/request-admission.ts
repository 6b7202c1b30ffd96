import type { ServerResponse } from 'node:http';
import type { UserId } from '../../core/contract/ids.ts';
import type { Limits } from '../../core/contract/limits.ts';
import {
  createHttpLimiter,
  stepHttpLimiter,
  type HttpLimiterEvent,
} from '../../core/session/http-limiter.ts';
import { systemClock } from '../driver/machine-driver.ts';
import { ProblemError } from './http-exchange.ts';
import { problem } from './problem.ts';

/** Who may ask now, for every door of one process. The core decides. */
export interface RequestAdmission {
  /**
   * Comes before any work for the request, looking at its token too.
   * @throws ProblemError `rate_limited` for a peer that asks too often.
   */
  address(address: string | undefined): void;
  /**
   * The request is under way until its response has left.
   * @throws ProblemError `rate_limited` for a user who asks too often, or too much at once.
   */
  user(userId: UserId, response: ServerResponse): void;
}

export function createRequestAdmission(limits: Limits): RequestAdmission {
  const limiter = createHttpLimiter({ limits });
  function step(event: HttpLimiterEvent): void {
    const effect = stepHttpLimiter(limiter, event, systemClock());
    if (effect.kind === 'pass') return;
    const detail = 'too many requests: ask again after the time in retryAfterMs';
    throw new ProblemError(problem('rate_limited', detail, { retryAfterMs: effect.retryAfterMs }));
  }
  return {
    address: (address) => step({ kind: 'request', address, userId: undefined }),
    user(userId, response) {
      step({ kind: 'request', address: undefined, userId });
      // A response that waits behind others of its connection is told nothing when that breaks.
      const { socket } = response.req;
      let over = false;
      const ended = (): void => {
        // The response closes while its socket does: taken away in the midst of that, a listener is still called.
        if (over) return;
        over = true;
        response.off('close', ended);
        socket.off('close', ended);
        step({ kind: 'ended', userId });
      };
      // The peer may have left while its token was looked at, and then nothing is to come.
      if (response.closed || socket.destroyed) return ended();
      response.once('close', ended);
      socket.once('close', ended);
    },
  };
}
