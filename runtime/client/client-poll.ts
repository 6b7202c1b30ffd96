import { assertNever } from '../../core/contract/assert.ts';
import type { Limits } from '../../core/contract/limits.ts';
import {
  createPollClient,
  type PollAnswer,
  type PollAsk,
  type PollClientEffect,
  type PollClientEvent,
  type PollTimer,
  stepPollClient,
} from '../../core/device/poll-client.ts';
import type { OpenSocket } from './client-socket.ts';

/** What answers in the server's place (a portal, a proxy) need not speak its language. */
const NO_ANSWER_OF_OURS = 502;

type Answer = PollAnswer<unknown> & { readonly pollId?: string };
type Event = PollClientEvent<string, unknown>;
type Effect = PollClientEffect<string, unknown>;

/** An answer that is not the one asked for. `retryAfter` in microseconds. */
class StatusError extends Error {
  readonly status: number;
  readonly retryAfter: number;
  constructor(status: number, retryAfter = 0) {
    super(`HTTP ${status}`);
    this.status = status;
    this.retryAfter = retryAfter;
  }
}

/**
 * Opens connections by long polling: carries the requests that the core's client asks for. The address is that of
 * `/poll/`, with http: or https:.
 */
export function pollOpener(limits: Limits): OpenSocket {
  return (url, token, events) => {
    const client = createPollClient<string>(limits);
    const stop = new AbortController();
    const timers = new Map<PollTimer, ReturnType<typeof setTimeout>>();
    let pollId: string | undefined;
    let flushDue = false;
    /** Nothing is told any more. */
    let over = false;

    function step(event: Event): void {
      for (const effect of stepPollClient<string, unknown>(client, event)) carryOut(effect);
    }

    function carryOut(effect: Effect): void {
      // Whatever leaves after the end is the word that the device leaves.
      if (over && effect.kind !== 'leave') return;
      switch (effect.kind) {
        case 'ask':
          ask(effect.request, effect.ask, effect.timeout / 1_000);
          break;
        case 'wake':
          clearTimeout(timers.get(effect.timer));
          timers.set(effect.timer, setTimeout(wake, effect.after / 1_000, effect.timer));
          break;
        case 'opened':
          events.open();
          break;
        case 'frame':
          events.text(JSON.stringify(effect.frame));
          break;
        case 'closed':
          finish();
          events.closed(effect.code);
          break;
        case 'refused':
          finish();
          events.refused(effect.status);
          break;
        case 'leave':
          finish();
          leave();
          break;
        default:
          assertNever(effect);
      }
    }

    function wake(timer: PollTimer): void {
      step({ kind: 'wake', timer });
    }

    function finish(): void {
      over = true;
      stop.abort();
      for (const timer of timers.values()) clearTimeout(timer);
    }

    function ask(request: number, what: PollAsk<string>, timeoutMs: number): void {
      fetchAnswer(what, timeoutMs).then(
        (answer) => {
          if (what.kind === 'connect') ({ pollId } = answer);
          step({ kind: 'answered', request, answer });
        },
        (error: unknown) => {
          const known = error instanceof StatusError ? error : undefined;
          step({ kind: 'failed', request, status: known?.status, retryAfter: known?.retryAfter ?? 0 });
        },
      );
    }

    async function fetchAnswer(what: PollAsk<string>, timeoutMs: number): Promise<Answer> {
      const headers: Record<string, string> = { authorization: `Bearer ${token}` };
      const [path, body] = requestOf(what, pollId);
      if (body !== undefined) headers['content-type'] = 'application/json';
      const response = await fetch(new URL(path, url), {
        method: body === undefined ? 'GET' : 'POST',
        headers,
        signal: AbortSignal.any([stop.signal, AbortSignal.timeout(timeoutMs)]),
        cache: 'no-store',
        ...(body === undefined ? {} : { body }),
      });
      if (!response.ok) {
        const seconds = Number(response.headers.get('retry-after'));
        throw new StatusError(response.status, Number.isFinite(seconds) ? seconds * 1_000_000 : 0);
      }
      const answer = (await response.json()) as Answer;
      const isOurs = Array.isArray(answer.frames) && Number.isSafeInteger(answer.last);
      if (!isOurs || (what.kind === 'connect' && typeof answer.pollId !== 'string'))
        throw new StatusError(NO_ANSWER_OF_OURS);
      return answer;
    }

    function leave(): void {
      if (pollId === undefined) return;
      const headers = { authorization: `Bearer ${token}` };
      fetch(new URL(pollId, url), { method: 'DELETE', headers, keepalive: true }).catch(() => undefined);
    }

    function flush(): void {
      flushDue = false;
      step({ kind: 'flush' });
    }

    step({ kind: 'begin' });
    return {
      send(text) {
        step({ kind: 'say', frame: text, size: text.length });
        if (flushDue) return;
        flushDue = true;
        queueMicrotask(flush);
      },
      close() {
        step({ kind: 'leave' });
        if (!over) finish();
      },
    };
  };
}

/** Path and body of a request; without a body it is a GET. */
function requestOf(what: PollAsk<string>, pollId = ''): readonly [path: string, body: string | undefined] {
  switch (what.kind) {
    case 'connect':
      return ['connect', '{}'];
    case 'poll':
      return [`${pollId}?waitMs=${Math.floor(what.wait / 1_000)}&ack=${what.ack}`, undefined];
    case 'post':
      return [pollId, `{"frames":[${what.frames.join(',')}],"ack":${what.ack}}`];
    default:
      return assertNever(what);
  }
}
