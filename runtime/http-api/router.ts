import type { IncomingMessage, ServerResponse } from 'node:http';
import type { z } from 'zod';
import { problem } from './problem.ts';
import { ProblemError, type Answer, type Exchange } from './http-exchange.ts';

interface RouteName {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Segments with a leading colon are parameters: `/v1/chats/:chatId`. */
  readonly path: string;
}

/** Takes JSON or nothing, answers with JSON or text. */
export interface JsonRoute extends RouteName {
  /** `none`: served without a token (probes, metrics, the token endpoint itself). */
  readonly auth: 'bearer' | 'none';
  /** What the handler checks its input by, for docs/api/openapi.yaml to be held against. */
  readonly input?: RouteInput;
  /** Asked by an orchestrator, who must not take this process for dead because its neighbours ask a lot: not limited. */
  readonly probe?: true;
  readonly handle: (exchange: Exchange) => Promise<Answer> | Answer;
}

export interface RouteInput {
  readonly params?: z.ZodType;
  readonly query?: z.ZodType;
  readonly body?: z.ZodType;
}

/** Reads and writes bodies itself, since they do not fit into memory. What it throws before it answers is answered. */
export interface StreamRoute extends RouteName {
  /** Its URLs carry their own permission. */
  readonly auth: 'none';
  readonly stream: (exchange: StreamExchange) => Promise<void>;
}

export type Route = JsonRoute | StreamRoute;

export interface StreamExchange {
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

export interface Match {
  readonly route: Route;
  readonly params: Readonly<Record<string, string>>;
}

interface Compiled {
  readonly route: Route;
  readonly segments: readonly string[];
}

/** @returns a function from method and path to the route. @throws ProblemError 404 or 405. */
export function createRouter(routes: readonly Route[]): (method: string, path: string) => Match {
  const compiled: Compiled[] = routes.map((route) => ({ route, segments: route.path.split('/').slice(1) }));

  return function match(method, path) {
    const parts = path.split('/').slice(1);
    const allowed: string[] = [];
    for (const { route, segments } of compiled) {
      const params = bind(segments, parts);
      if (params === undefined) continue;
      if (route.method === method) return { route, params };
      allowed.push(route.method);
    }
    if (allowed.length === 0)
      throw new ProblemError(problem('bad_frame', 'there is nothing at this path', { status: 404 }));
    throw new ProblemError(problem('bad_frame', `use ${allowed.join(' or ')} here`, { status: 405 }));
  };
}

function bind(segments: readonly string[], parts: readonly string[]): Record<string, string> | undefined {
  if (segments.length !== parts.length) return undefined;
  const params: Record<string, string> = {};
  for (const [i, segment] of segments.entries()) {
    const part = parts[i] ?? '';
    if (segment.startsWith(':')) params[segment.slice(1)] = part;
    else if (segment !== part) return undefined;
  }
  return params;
}
