import { connId, type NodeId } from '../../core/contract/ids.ts';
import type { ReplyTo, ServiceReply, ServiceRequest } from '../../core/session/service-call.ts';
import type { NodeLinks } from '../ports/node-links.ts';
import { ProblemError } from './http-exchange.ts';
import { problem } from './problem.ts';

/** Calls waiting for the message service; beyond it a call is refused. */
const WAITING = 1_000;

/** Asks the message service on behalf of HTTP requests. */
export interface ServiceCalls {
  /**
   * @throws ProblemError the service's refusal, `overloaded`, or `unavailable` when no answer came in time or this process
   * shuts down.
   */
  call(build: (replyTo: ReplyTo) => ServiceRequest): Promise<Exclude<ServiceReply, { kind: 'refused' }>>;
  /** Calls that wait for their answer. */
  readonly inFlight: number;
  /** Refuses new calls; those under way may finish. */
  quiesce(): void;
  close(): void;
}

/** @param timeout microseconds. */
export function createServiceCalls(node: NodeId, links: NodeLinks, timeout: number): ServiceCalls {
  const waiting = new Map<number, (reply: ServiceReply | undefined) => void>();
  let lastCall = 0;
  let quiet = false;
  links.attachCaller(node, { reply: (reply) => waiting.get(reply.conn)?.(reply) });

  function ask(build: (replyTo: ReplyTo) => ServiceRequest): Promise<ServiceReply | undefined> {
    const call = ++lastCall;
    return new Promise((resolve) => {
      const settle = (reply: ServiceReply | undefined): void => {
        clearTimeout(timer);
        waiting.delete(call);
        resolve(reply);
      };
      const timer = setTimeout(settle, timeout / 1_000, undefined);
      waiting.set(call, settle);
      links.request(build({ node, conn: connId(call) }));
    });
  }

  return {
    async call(build) {
      if (quiet) throw new ProblemError(problem('unavailable', 'this process is shutting down: ask again'));
      if (waiting.size >= WAITING)
        throw new ProblemError(problem('overloaded', 'too many requests are waiting: try again'));
      const reply = await ask(build);
      if (reply === undefined) {
        throw new ProblemError(
          problem('unavailable', 'the message service did not answer in time: try again'),
        );
      }
      if (reply.kind === 'refused') {
        throw new ProblemError(problem(reply.code, reply.message, { retryAfterMs: reply.retryAfterMs }));
      }
      return reply;
    },
    get inFlight() {
      return waiting.size;
    },
    quiesce() {
      quiet = true;
    },
    close() {
      quiet = true;
      links.detach(node);
      for (const settle of waiting.values()) settle(undefined);
    },
  };
}
