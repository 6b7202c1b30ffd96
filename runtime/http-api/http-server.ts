import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Logger } from 'pino';
import { micros } from '../../core/contract/time.ts';
import { deviceId, userId } from '../../core/contract/ids.ts';
import { bearerToken } from '../gateway/bearer-token.ts';
import type { Metrics } from '../observability/metrics.ts';
import type { Identity, TokenVerifier } from '../ports/token-verifier.ts';
import { CONNECT_PATH, isDeviceUpgrade } from '../gateway/upgrade.ts';
import { answerCrossOrigin } from './cross-origin.ts';
import { ProblemError, readJson, writeAnswer, writeProblem } from './http-exchange.ts';
import { problem, tokenProblem } from './problem.ts';
import { addressOf, originOf } from './peer-address.ts';
import type { RequestAdmission } from './request-admission.ts';
import { createRouter, type Match, type Route } from './router.ts';

const HEADERS_TIMEOUT_MS = 10_000;

/** What answers requests. */
export interface HttpApi {
  readonly routes: readonly Route[];
  readonly verifier: TokenVerifier;
  /** More routes will follow: every other path is answered `unavailable`. */
  readonly starting: boolean;
}

export interface HttpServerOptions {
  readonly metrics: Metrics;
  readonly log: Logger;
  readonly api: () => HttpApi;
  /** Whether a proxy in front of this process says who its peers are. */
  readonly trustProxy: boolean;
  readonly admission: RequestAdmission;
  /** Of pages that may call this server besides its own; nobody's when left out. */
  readonly allowedOrigins?: readonly string[];
}

/** Routes without a token get this; they must not look at it. */
const NOBODY: Identity = { userId: userId(''), deviceId: deviceId(''), expiresAt: micros(0) };

/** An HTTP server that answers requests by the routes and every failure with a problem document. */
export function createHttpServer(options: HttpServerOptions): Server {
  const { metrics, log, api, trustProxy, admission, allowedOrigins = [] } = options;
  let matcher: { readonly api: HttpApi; readonly match: (method: string, path: string) => Match } | undefined;

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const current = api();
    if (matcher?.api !== current) matcher = { api: current, match: createRouter(current.routes) };
    const url = targetOf(request);
    if (answerCrossOrigin(request, response, allowedOrigins)) return;
    if (current.starting && !current.routes.some(({ path }) => path === url.pathname))
      throw new ProblemError(problem('unavailable', 'Parley is starting: try again'));
    const address = addressOf(request, trustProxy);
    if (url.pathname === CONNECT_PATH) {
      admission.address(address);
      await refusePlainConnect(request, current.verifier);
    }
    const { route, params } = matcher.match(request.method ?? 'GET', url.pathname);
    response.once('close', () =>
      metrics.httpRequests.inc({ route: route.path, status: response.statusCode }),
    );
    if (!('probe' in route)) admission.address(address);
    if ('stream' in route) return route.stream({ params, query: url.searchParams, request, response });
    const identity = route.auth === 'none' ? NOBODY : await identify(request, current.verifier);
    if (route.auth !== 'none') admission.user(identity.userId, response);
    const body = await readJson(request);
    const onGone = (listener: () => void): void => {
      response.once('close', () => {
        if (!response.writableEnded) listener();
      });
    };
    const origin = originOf(request, trustProxy);
    const exchange = { params, query: url.searchParams, body, identity, address, origin, onGone };
    writeAnswer(response, await route.handle(exchange));
  }

  // Each body has its own time: what is JSON is short, what is a film is not.
  const server = createServer({
    headersTimeout: HEADERS_TIMEOUT_MS,
    requestTimeout: 0,
    shouldUpgradeCallback: isDeviceUpgrade,
  });
  server.on('request', (request, response) => {
    serve(request, response).catch((error: unknown) => {
      if (error instanceof ProblemError) return fail(request, response, error);
      // The peer left before its request was whole, or before all of it was read: nobody waits for an answer.
      if (request.errored !== null || (request.destroyed && !request.complete)) return;
      log.error({ err: error, method: request.method }, 'request failed');
      return fail(
        request,
        response,
        new ProblemError(problem('internal', 'the request failed for a reason of the server')),
      );
    });
  });
  return server;
}

/** @throws ProblemError for a target that names nothing: `//` parses as a host without a name. */
function targetOf({ url: target = '/' }: IncomingMessage): URL {
  const url = target.startsWith('//') ? null : URL.parse(target, 'http://parley');
  if (url === null) throw new ProblemError(problem('bad_frame', 'the target of the request is not a path'));
  return url;
}

function fail(request: IncomingMessage, response: ServerResponse, error: ProblemError): void {
  // The answer has begun, and cannot become another one: that it is not whole is all that is left to say.
  if (response.headersSent) return void response.destroy();
  // What is left of a refused body is not worth reading; the connection ends with the answer.
  if (!request.complete) response.setHeader('connection', 'close');
  writeProblem(response, error.problem);
}

async function identify(request: IncomingMessage, verifier: TokenVerifier): Promise<Identity> {
  const verification = await verifier.verify(bearerToken(request.headers));
  if (!verification.ok) throw new ProblemError(tokenProblem(verification));
  return verification.identity;
}

/**
 * A browser cannot see why an upgrade was refused. It asks here without upgrading: 401 says that the token is the
 * reason, 426 that it is not.
 */
async function refusePlainConnect(request: IncomingMessage, verifier: TokenVerifier): Promise<never> {
  await identify(request, verifier);
  throw new ProblemError(problem('bad_frame', 'connect with a WebSocket upgrade', { status: 426 }));
}
