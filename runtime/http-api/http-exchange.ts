import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Identity } from '../ports/token-verifier.ts';
import { PROBLEM_TYPE, problem, problemHeaders, type Problem } from './problem.ts';

/** Largest request body: the members of the largest group, as ids, fit. */
const BODY_BYTES = 256 * 1024;

/** A body that is not whole after this long is not waited for. */
const BODY_TIMEOUT_MS = 30_000;

/** How long a peer may take for an answer: a page of history fits through a slow line. */
const TAKE_TIMEOUT_MS = 60_000;

/** What a route gets: the request, taken apart and authenticated. */
export interface Exchange {
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  /** The parsed JSON body; undefined when the request has none. */
  readonly body: unknown;
  readonly identity: Identity;
  /** Where the request comes from, for rate limits; undefined for this machine itself. */
  readonly address: string | undefined;
  /** Scheme and host under which the peer reaches this process: what URLs that lead back here begin with. */
  readonly origin: string;
  /** Calls back when the peer leaves before it was answered. */
  readonly onGone: (listener: () => void) => void;
}

/** What a route answers. */
export type Answer =
  | { readonly status: number; readonly json?: unknown; readonly headers?: Readonly<Record<string, string>> }
  | {
      readonly status: number;
      readonly text: string;
      readonly contentType: string;
      /** Told how the response ended: whether the connection took all of it. */
      readonly ended?: (whole: boolean) => void;
    };

/** Ends a request with a problem document instead of an answer. */
export class ProblemError extends Error {
  override readonly name = 'ProblemError';
  readonly problem: Problem;
  constructor(refusal: Problem) {
    super(refusal.detail);
    this.problem = refusal;
  }
}

/**
 * Reads a JSON body.
 * @throws ProblemError `too_large` above the limit, `bad_frame` for another content type or text that is not JSON.
 */
export async function readJson(request: IncomingMessage): Promise<unknown> {
  const declared = Number(request.headers['content-length'] ?? '0');
  if (declared > BODY_BYTES) throw tooLarge();
  const chunks: Buffer[] = [];
  let size = 0;
  const late = setTimeout(() => request.destroy(), BODY_TIMEOUT_MS);
  try {
    for await (const chunk of request as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > BODY_BYTES) throw tooLarge();
      chunks.push(chunk);
    }
  } finally {
    clearTimeout(late);
  }
  if (size === 0) return undefined;
  const type = request.headers['content-type'];
  if (type !== undefined && !/^application\/(?:[\w.+-]+\+)?json\b/i.test(type)) {
    throw new ProblemError(problem('bad_frame', 'send the body as application/json', { status: 415 }));
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8')) as unknown;
  } catch {
    throw new ProblemError(problem('bad_frame', 'the body is not valid JSON'));
  }
}

function tooLarge(): ProblemError {
  return new ProblemError(problem('too_large', `the body may have at most ${BODY_BYTES} bytes`));
}

export function writeAnswer(response: ServerResponse, answer: Answer): void {
  if ('text' in answer) {
    const { ended } = answer;
    if (ended !== undefined) {
      if (response.destroyed) return ended(false);
      response.once('close', () => ended(response.writableFinished));
    }
    write(response, answer.status, { 'content-type': answer.contentType }, answer.text);
    return;
  }
  const text = answer.json === undefined ? '' : JSON.stringify(answer.json);
  const type = answer.json === undefined ? {} : { 'content-type': 'application/json' };
  write(response, answer.status, { ...type, ...answer.headers }, text);
}

export function writeProblem(response: ServerResponse, refusal: Problem): void {
  const headers = { 'content-type': PROBLEM_TYPE, ...problemHeaders(refusal) };
  write(response, refusal.status, headers, JSON.stringify(refusal));
}

function write(
  response: ServerResponse,
  status: number,
  headers: Record<string, string>,
  text: string,
): void {
  if (response.headersSent || response.destroyed) return;
  // Answers are about one user: no cache on the way may keep them.
  response.writeHead(status, {
    'cache-control': 'no-store',
    'content-length': Buffer.byteLength(text),
    ...headers,
  });
  response.end(text);
  // A peer that does not read would keep its answer in memory, a page of history perhaps, as long as it likes.
  if (response.writableLength === 0) return;
  const late = setTimeout(() => response.destroy(), TAKE_TIMEOUT_MS);
  response.once('close', () => clearTimeout(late));
}
