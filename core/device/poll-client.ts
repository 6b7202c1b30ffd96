import { assertNever } from '../contract/assert.ts';
import type { Limits } from '../contract/limits.ts';
import { CLOSE_CODE } from '../wire/frames.ts';
import { newPollInbox, type PollInbox, takeResponse } from './poll-inbox.ts';

/**
 * A connection by long polling as its device has it: one request waits for frames, another carries the device's own. To
 * the device it is like a socket: frames in order, each once, and one end. Here is decided which request is made, which of
 * them is made again, and when the connection counts as broken.
 *
 * A poll that failed is asked again, for what was lost with its answer comes with the next. A post that failed may have
 * been read or not, so it ends the connection: the device finds out when it resumes.
 */
export interface PollClient<Up> {
  readonly limits: Limits;
  readonly inbox: PollInbox;
  stage: 'connecting' | 'open' | 'over';
  /** Frames of the device that no request carries yet, in order. */
  unsent: Unsent<Up>[];
  nextRequest: number;
  /** The requests under way, by what they are for; an answer to any other is nobody's. */
  polling: number | undefined;
  /** *Invariant:* at most one at a time, so that the server reads frames in order. */
  posting: { readonly request: number; readonly frames: readonly Unsent<Up>[] } | undefined;
  /** The server asked to wait with the next post. */
  postPaused: boolean;
  /** Polls in a row that failed. */
  failures: number;
}

interface Unsent<Up> {
  readonly frame: Up;
  readonly size: number;
}

/** What a server answers: frames up to number `last`, and why the session is over, if it is. */
export interface PollAnswer<Down> {
  readonly frames: readonly Down[];
  readonly last: number;
  readonly closed?: { readonly code: number } | undefined;
}

export type PollClientEvent<Up, Down> =
  | { readonly kind: 'begin' }
  /** The device says something. @param size characters. */
  | { readonly kind: 'say'; readonly frame: Up; readonly size: number }
  /** The end of a turn: what a device says in one breath goes in one request. */
  | { readonly kind: 'flush' }
  | { readonly kind: 'answered'; readonly request: number; readonly answer: PollAnswer<Down> }
  /**
   * A request had no answer that is of use. `status` of the HTTP answer, undefined when none came or the time was over;
   * `retryAfter` in microseconds, 0 when the server did not ask to wait.
   */
  | {
      readonly kind: 'failed';
      readonly request: number;
      readonly status: number | undefined;
      readonly retryAfter: number;
    }
  | { readonly kind: 'wake'; readonly timer: PollTimer }
  /** The device closes the connection. */
  | { readonly kind: 'leave' };

export type PollTimer = 'poll' | 'post';

/** What the shell owes, in order. After one of the ends (`closed`, `refused`, `leave`) it gives up every request. */
export type PollClientEffect<Up, Down> =
  /** -> `answered` or `failed`, within `timeout`. `wait`, `timeout` in microseconds. */
  | { readonly kind: 'ask'; readonly request: number; readonly ask: PollAsk<Up>; readonly timeout: number }
  /** One-shot; replaces a pending wake-up of the same timer. */
  | { readonly kind: 'wake'; readonly timer: PollTimer; readonly after: number }
  | { readonly kind: 'opened' }
  /** For the device; void, with all that follows, once the device has left. */
  | { readonly kind: 'frame'; readonly frame: Down }
  | { readonly kind: 'closed'; readonly code: number }
  | { readonly kind: 'refused'; readonly status: number }
  /** Tell the server, which would otherwise keep the session for a minute; no answer is awaited. */
  | { readonly kind: 'leave' };

export type PollAsk<Up> =
  | { readonly kind: 'connect' }
  | { readonly kind: 'poll'; readonly ack: number; readonly wait: number }
  | { readonly kind: 'post'; readonly ack: number; readonly frames: readonly Up[] };

type Out<Up, Down> = PollClientEffect<Up, Down>[];

/** Code of a connection that just broke (RFC 6455 section 7.4.1). */
const ABNORMAL = 1006;
/** The one that connects. */
const FIRST_REQUEST = 1;

export function createPollClient<Up>(limits: Limits): PollClient<Up> {
  return {
    limits,
    inbox: newPollInbox(),
    stage: 'connecting',
    unsent: [],
    nextRequest: FIRST_REQUEST,
    polling: undefined,
    posting: undefined,
    postPaused: false,
    failures: 0,
  };
}

/** @returns effects, to be carried out in order. */
export function stepPollClient<Up, Down>(
  client: PollClient<Up>,
  event: PollClientEvent<Up, Down>,
): readonly PollClientEffect<Up, Down>[] {
  const out: Out<Up, Down> = [];
  switch (event.kind) {
    case 'begin':
      client.polling = ask(client, { kind: 'connect' }, 0, out);
      break;
    case 'say':
      if (client.stage !== 'over') client.unsent.push({ frame: event.frame, size: event.size });
      break;
    case 'flush':
      post(client, out);
      break;
    case 'answered':
      onAnswered(client, event.request, event.answer, out);
      break;
    case 'failed':
      onFailed(client, event.request, event.status, event.retryAfter, out);
      break;
    case 'wake':
      if (event.timer === 'poll') poll(client, out);
      else {
        client.postPaused = false;
        post(client, out);
      }
      break;
    case 'leave':
      if (client.stage === 'open') out.push({ kind: 'leave' });
      client.stage = 'over';
      break;
    default:
      assertNever(event);
  }
  return out;
}

function ask<Up, Down>(client: PollClient<Up>, what: PollAsk<Up>, wait: number, out: Out<Up, Down>): number {
  const request = client.nextRequest++;
  const { pollPatience, pollGrace } = client.limits;
  // Those that do not wait get the same time: what is slow is the way.
  const timeout = (wait === 0 ? pollPatience : wait) + pollGrace;
  out.push({ kind: 'ask', request, ask: what, timeout });
  return request;
}

function poll<Up, Down>(client: PollClient<Up>, out: Out<Up, Down>): void {
  if (client.stage !== 'open' || client.polling !== undefined) return;
  const wait = Math.min(client.limits.pollPatience, client.limits.pollWait);
  client.polling = ask(client, { kind: 'poll', ack: client.inbox.got, wait }, wait, out);
}

function post<Up, Down>(client: PollClient<Up>, out: Out<Up, Down>): void {
  const { unsent, inbox } = client;
  if (client.stage !== 'open' || client.posting !== undefined || client.postPaused || unsent.length === 0)
    return;
  const frames = unsent.splice(0, batch(unsent, client.limits));
  const what = { kind: 'post', ack: inbox.got, frames: frames.map(({ frame }) => frame) } as const;
  client.posting = { request: ask(client, what, 0, out), frames };
}

/** How many of the waiting frames fit into one request; at least one. */
function batch(unsent: readonly Unsent<unknown>[], { pollFrames, pollRequestBytes }: Limits): number {
  const most = Math.min(unsent.length, Math.max(1, Math.floor(pollFrames / 2)));
  let size = 0;
  for (let i = 0; i < most; i++) {
    size += (unsent[i] as Unsent<unknown>).size;
    if (size > pollRequestBytes && i > 0) return i;
  }
  return most;
}

function onAnswered<Up, Down>(
  client: PollClient<Up>,
  request: number,
  answer: PollAnswer<Down>,
  out: Out<Up, Down>,
): void {
  if (client.stage === 'over') {
    // The device left before it knew that it was connected.
    if (request === FIRST_REQUEST && client.polling === request) out.push({ kind: 'leave' });
    client.polling = undefined;
    return;
  }
  if (client.polling === request) {
    client.polling = undefined;
    client.failures = 0;
    if (client.stage === 'connecting') {
      client.stage = 'open';
      out.push({ kind: 'opened' });
    }
  } else if (client.posting?.request === request) client.posting = undefined;
  else return;
  take(client, answer, out);
  poll(client, out);
  post(client, out);
}

function take<Up, Down>(
  client: PollClient<Up>,
  { frames, last, closed }: PollAnswer<Down>,
  out: Out<Up, Down>,
): void {
  const fresh = takeResponse(client.inbox, frames, last);
  if (fresh === undefined) {
    // The session has let go of a frame that never came. A new one begins where this device stands.
    end(client, { kind: 'closed', code: ABNORMAL }, out);
    return;
  }
  for (const frame of fresh) out.push({ kind: 'frame', frame });
  if (closed !== undefined && client.inbox.got >= last)
    end(client, { kind: 'closed', code: closed.code }, out);
}

function onFailed<Up, Down>(
  client: PollClient<Up>,
  request: number,
  status: number | undefined,
  retryAfter: number,
  out: Out<Up, Down>,
): void {
  if (client.stage === 'over') return;
  const { pollRetries, pollRetry } = client.limits;
  if (client.polling === request) {
    client.polling = undefined;
    if (client.stage === 'connecting') {
      if (status === undefined) broken(client, status, out);
      else end(client, { kind: 'refused', status }, out);
      return;
    }
    client.failures++;
    if (!mayPass(status) || client.failures > pollRetries) broken(client, status, out);
    else out.push({ kind: 'wake', timer: 'poll', after: Math.max(pollRetry * client.failures, retryAfter) });
    return;
  }
  const { posting } = client;
  if (posting?.request !== request) return;
  client.posting = undefined;
  // Refused unread. Any other failure says nothing about what was read.
  if (status !== 503 && status !== 429) {
    broken(client, status, out);
    return;
  }
  client.unsent = [...posting.frames, ...client.unsent];
  client.postPaused = true;
  out.push({ kind: 'wake', timer: 'post', after: Math.max(pollRetry, retryAfter) });
}

/** Whether asking again may help. */
function mayPass(status: number | undefined): boolean {
  return status === undefined || status >= 500 || status === 429;
}

function broken<Up, Down>(client: PollClient<Up>, status: number | undefined, out: Out<Up, Down>): void {
  end(client, { kind: 'closed', code: status === 401 ? CLOSE_CODE.authExpired : ABNORMAL }, out);
}

function end<Up, Down>(
  client: PollClient<Up>,
  how: Extract<PollClientEffect<Up, Down>, { kind: 'closed' | 'refused' }>,
  out: Out<Up, Down>,
): void {
  client.stage = 'over';
  out.push(how);
}
