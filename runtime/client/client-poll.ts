import { newPollInbox, takeResponse } from '../../core/device/poll-inbox.ts';
import type { OpenSocket } from './client-socket.ts';

/** How long one request waits at the server for frames, and how much longer it may take. */
const WAIT_MS = 25_000;
const GRACE_MS = 10_000;
/** A poll whose answer was lost is asked again, and loses nothing; after that the connection counts as broken. */
const RETRIES = 2;
const RETRY_MS = 500;
/** Frames and characters of one request; what is left goes with the next. */
const FRAMES = 128;
const CHARS = 160 * 1024;
const ABNORMAL = 1006;
const AUTH_EXPIRED = 4005;

interface PollResponse {
  readonly frames: readonly unknown[];
  /** The number of the last of them. */
  readonly last: number;
  readonly pollId?: string;
  /** The session is over, and why. */
  readonly closed?: { readonly code: number };
}

/** An answer that is not the one asked for. */
class StatusError extends Error {
  readonly status: number;
  /** Milliseconds that the server asked to wait. */
  readonly retryAfter: number;
  constructor(status: number, retryAfter = 0) {
    super(`HTTP ${status}`);
    this.status = status;
    this.retryAfter = retryAfter;
  }
}

/**
 * Opens a connection by long polling: one request waits for frames, another carries those of the device. Frames come in
 * order and none is lost with a response. @param url the address of `/poll/`, with http: or https:.
 */
export const openPoll: OpenSocket = (url, token, events) => {
  const stop = new AbortController();
  const inbox = newPollInbox();
  let pollId: string | undefined;
  let unsent: string[] = [];
  let posting = false;
  let over = false;

  async function ask(method: string, path: string, body?: string): Promise<PollResponse> {
    const headers: Record<string, string> = { authorization: `Bearer ${token}` };
    if (body !== undefined) headers['content-type'] = 'application/json';
    const signal = AbortSignal.any([stop.signal, AbortSignal.timeout(WAIT_MS + GRACE_MS)]);
    const response = await fetch(new URL(path, url), {
      method,
      headers,
      signal,
      cache: 'no-store',
      ...(body === undefined ? {} : { body }),
    });
    if (!response.ok) {
      const seconds = Number(response.headers.get('retry-after'));
      throw new StatusError(response.status, Number.isFinite(seconds) ? seconds * 1_000 : 0);
    }
    const answer = (await response.json()) as PollResponse;
    // What answers in the server's place (a portal, a proxy) need not speak its language.
    if (!Array.isArray(answer.frames) || !Number.isSafeInteger(answer.last)) throw new StatusError(502);
    return answer;
  }

  function end(report: () => void): void {
    if (over) return;
    over = true;
    stop.abort();
    report();
  }

  function take({ frames, last, closed }: PollResponse): void {
    if (over) return;
    for (const frame of takeResponse(inbox, frames, last) ?? []) {
      events.text(JSON.stringify(frame));
      if (over) return;
    }
    if (closed !== undefined && inbox.got >= last) end(() => events.closed(closed.code));
  }

  function broken(error: unknown): void {
    const expired = error instanceof StatusError && error.status === 401;
    end(() => events.closed(expired ? AUTH_EXPIRED : ABNORMAL));
  }

  async function connect(): Promise<boolean> {
    try {
      const answer = await ask('POST', 'connect', '{}');
      if (answer.pollId === undefined) throw new StatusError(502);
      ({ pollId } = answer);
      if (over) leave();
      else events.open();
      take(answer);
      return true;
    } catch (error) {
      if (error instanceof StatusError) end(() => events.refused(error.status));
      else broken(error);
      return false;
    }
  }

  async function receive(): Promise<void> {
    for (let failures = 0; !over; ) {
      try {
        take(await ask('GET', `${pollId}?waitMs=${WAIT_MS}&ack=${inbox.got}`));
        failures = 0;
      } catch (error) {
        if (!passes(error) || ++failures > RETRIES) return broken(error);
        await pause(Math.max(RETRY_MS * failures, waitOf(error)));
      }
    }
  }

  /** One request at a time, so that the server reads frames in order; what gathers meanwhile goes with the next. */
  async function post(): Promise<void> {
    if (posting || pollId === undefined) return;
    posting = true;
    while (unsent.length > 0 && !over) {
      const frames = unsent.splice(0, batch(unsent));
      try {
        take(await ask('POST', pollId, `{"frames":[${frames.join(',')}],"ack":${inbox.got}}`));
      } catch (error) {
        // Refused unread. Any other failure says nothing about what was read: the device finds out when it resumes.
        if (!(error instanceof StatusError) || (error.status !== 503 && error.status !== 429))
          return broken(error);
        unsent = [...frames, ...unsent];
        await pause(Math.max(RETRY_MS, waitOf(error)));
      }
    }
    posting = false;
  }

  /** Tells the server, which would otherwise keep the session for a minute. */
  function leave(): void {
    if (pollId === undefined) return;
    const headers = { authorization: `Bearer ${token}` };
    fetch(new URL(pollId, url), { method: 'DELETE', headers, keepalive: true }).catch(() => undefined);
  }

  async function run(): Promise<void> {
    if (!(await connect())) return;
    post().catch(broken);
    await receive();
  }
  run().catch(broken);

  return {
    send(text) {
      if (over) return;
      unsent.push(text);
      // At the end of the turn: what a device says in one breath goes in one request.
      queueMicrotask(() => void post().catch(broken));
    },
    close() {
      if (over) return;
      end(() => undefined);
      leave();
    },
  };
};

/** How many of the waiting frames fit into one request; at least one. */
function batch(frames: readonly string[]): number {
  let chars = 0;
  for (let i = 0; i < frames.length && i < FRAMES; i++) {
    chars += (frames[i] as string).length;
    if (chars > CHARS && i > 0) return i;
  }
  return Math.min(frames.length, FRAMES);
}

/** Whether asking again may help. */
function passes(error: unknown): boolean {
  return !(error instanceof StatusError) || error.status >= 500 || error.status === 429;
}

function waitOf(error: unknown): number {
  return error instanceof StatusError ? error.retryAfter : 0;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
